import { setTimeout } from 'node:timers/promises';
import type { Client } from '@temporalio/client';

/** All workers of this product are versions of one deployment. */
export const DEPLOYMENT = 'recollect';

const CALL_TIMEOUT_MS = 5_000;
/** gRPC codes for "not there yet": the server has not seen this version's pollers, or not those of all its task queues. */
const NOT_FOUND = 5;
const FAILED_PRECONDITION = 9;

function isNotYet(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === NOT_FOUND || error.code === FAILED_PRECONDITION);
}

/**
 * Routes new workflow tasks to the workers of this build: open sessions move to it with their next task, so that no worker of an older build
 * gets a history that newer code wrote. Idempotent. Returns false while the server does not know this build's workers on every task queue of
 * the current build: call again.
 */
export async function makeCurrent(client: Client, buildId: string): Promise<boolean> {
  try {
    await client.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
      client.workflowService.setWorkerDeploymentCurrentVersion({
        namespace: client.options.namespace,
        deploymentName: DEPLOYMENT,
        buildId,
        identity: client.options.identity,
      }),
    );
    return true;
  } catch (error) {
    if (isNotYet(error)) return false;
    throw error;
  }
}

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
    await setTimeout(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
  return false;
}
