import { Context } from '@temporalio/activity';

const BEAT_MS = 2_000;

/**
 * Runs `work` with the activity's cancellation signal, heartbeating beside it: without heartbeats a cancellation would never arrive,
 * and a worker that died would be noticed only at the attempt's end.
 */
export async function beating<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), BEAT_MS);
  try {
    context.heartbeat();
    return await work(context.cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}
