import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { makeCurrent } from '../stores/temporal/deployment.ts';

const ASK_MS = 250;

/**
 * Makes this build the one that gets new workflow tasks, as soon as the server knows its workers; resolves then, or when `signal` ends
 * the waiting. A server that is away is asked again.
 */
export async function promoteBuild(
  client: Client,
  buildId: string,
  signal: AbortSignal,
  onFailure: (error: unknown) => void,
): Promise<boolean> {
  while (!signal.aborted) {
    try {
      if (await makeCurrent(client, buildId)) return true;
    } catch (error) {
      onFailure(error);
    }
    // Being told to stop ends the waiting, and is no failure.
    await sleep(ASK_MS, undefined, { signal }).catch(() => undefined);
  }
  return false;
}
