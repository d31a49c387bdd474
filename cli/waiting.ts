import { setTimeout as sleep } from 'node:timers/promises';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interrupts {
  /** Aborts at the first request to stop. */
  readonly signal: AbortSignal;
  /** Resolves at the first request to stop. */
  readonly requested: Promise<void>;
  dispose(): void;
}

/**
 * Converts SIGINT, SIGTERM and SIGHUP to a clean stop. A second signal calls `again`, which must exit at once.
 */
export function listenForInterrupts(again: () => void): Interrupts {
  const controller = new AbortController();
  const requested = Promise.withResolvers<void>();
  const onSignal = (): void => {
    if (controller.signal.aborted) {
      again();
      return;
    }
    controller.abort();
    requested.resolve();
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: controller.signal,
    requested: requested.promise,
    dispose: () => {
      for (const name of SIGNALS) process.removeListener(name, onSignal);
    },
  };
}

/** Runs work that a request to stop aborts. A second request ends the process. */
export async function interruptible<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const interrupts = listenForInterrupts(() => process.exit(130));
  try {
    return await work(interrupts.signal);
  } finally {
    interrupts.dispose();
  }
}

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

/** Polls until the state is not `running`; returns the last result. @throws what `poll` throws, and the abort error when `signal` aborts */
export async function untilEnded<Job>(
  poll: () => Promise<Job>,
  stateOf: (job: Job) => string,
  signal?: AbortSignal,
): Promise<Job> {
  for (const pause = growingPause(signal); ; await pause()) {
    const job = await poll();
    if (stateOf(job) !== 'running') return job;
  }
}
