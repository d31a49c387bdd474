import { AsyncLocalStorage } from 'node:async_hooks';
import { Context } from '@temporalio/activity';
import { z } from 'zod';
import type { ZodType } from 'zod';

const INTERVAL_MS = 2_000;
/**
 * Longer than any single call that reports nothing: statements of the maintenance role end after 10 minutes, requests to providers and stores
 * earlier. Statements without a bound are watched (restore/watch-database.ts).
 */
const MAX_SILENCE_MS = 11 * 60_000;

const attempts = new AsyncLocalStorage<() => void>();

/**
 * Reports a unit of work (row, batch, file, vector) as handled, so that the attempt is not taken for hung. Does nothing outside an activity.
 * @throws the signal's reason if it is aborted
 */
export function reportProgress(signal?: AbortSignal): void {
  attempts.getStore()?.();
  signal?.throwIfAborted();
}

/**
 * Runs `work`, which resumes from the heartbeat details of the previous attempt, or from `first` if there are none or another build wrote them.
 * Heartbeats deliver cancellations and reveal a worker that died. They end `MAX_SILENCE_MS` after the last reported progress: the server then
 * times a hung attempt out instead of waiting for its end.
 */
export async function resumeWithHeartbeat<Details, Result>(
  schema: ZodType<Details>,
  first: Details,
  work: (signal: AbortSignal, from: Details, report: (details: Details) => void) => Promise<Result>,
): Promise<Result> {
  const context = Context.current();
  const previous = schema.safeParse(context.info.heartbeatDetails);
  const from = previous.success ? previous.data : first;
  let details = from;
  let progressAt = performance.now();
  const progress = (): void => {
    progressAt = performance.now();
  };
  const timer = setInterval(() => {
    if (performance.now() - progressAt < MAX_SILENCE_MS) context.heartbeat(details);
  }, INTERVAL_MS);
  try {
    context.heartbeat(details);
    return await attempts.run(progress, () =>
      work(context.cancellationSignal, from, (reached) => {
        progress();
        details = reached;
        context.heartbeat(details);
      }),
    );
  } finally {
    clearInterval(timer);
  }
}

/** Runs `work` with the activity's cancellation signal and heartbeats, as `resumeWithHeartbeat` without details. */
export function withHeartbeat<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  return resumeWithHeartbeat(z.undefined(), undefined, work);
}
