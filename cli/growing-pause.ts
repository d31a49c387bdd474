import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_MS = 50;
const LONGEST_MS = 500;

/**
 * Returns a function that waits between two polls of one job: 50 ms at first, half as long again each time, up to 500 ms. Rejects at once
 * with the abort error when `signal` aborts.
 */
export function growingPause(signal?: AbortSignal): () => Promise<void> {
  let nextMs = FIRST_MS;
  return async () => {
    const ms = nextMs;
    nextMs = Math.min(ms * 1.5, LONGEST_MS);
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  };
}

/** Polls until the state is not `running`; returns the last result. @throws what `poll` throws */
export async function untilEnded<Job>(poll: () => Promise<Job>, stateOf: (job: Job) => string): Promise<Job> {
  for (const pause = growingPause(); ; await pause()) {
    const job = await poll();
    if (stateOf(job) !== 'running') return job;
  }
}
