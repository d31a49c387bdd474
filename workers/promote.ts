import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { makeCurrent } from '../stores/temporal/deployment.ts';

const RETRY_MS = 250;

/**
 * Routes new workflow tasks to this build once the server knows its workers. Returns true then, false if `signal` aborts first. Retries
 * while the server is unavailable.
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
    // An abort ends the wait and is no failure.
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
  return false;
}
