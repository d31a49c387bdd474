import { setTimeout as sleep } from 'node:timers/promises';

const FIRST_MS = 50;
const LONGEST_MS = 500;

/**
 * Pauses between looks at a job: the first is short, for what takes a moment, and each is half as long again, up to half a second. One function
 * for each job that is watched; its pauses end at once when `signal` is aborted, with its error.
 */
export function growingPause(signal?: AbortSignal): () => Promise<void> {
  let nextMs = FIRST_MS;
  return async () => {
    const ms = nextMs;
    nextMs = Math.min(ms * 1.5, LONGEST_MS);
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  };
}

/** What `look` answers once it is of no running job. Looks again with growing pauses. @throws what `look` throws */
export async function untilEnded<Seen>(look: () => Promise<Seen>, stateOf: (seen: Seen) => string): Promise<Seen> {
  for (const pause = growingPause(); ; await pause()) {
    const seen = await look();
    if (stateOf(seen) !== 'running') return seen;
  }
}
