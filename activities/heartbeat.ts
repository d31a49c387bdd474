import { Context } from '@temporalio/activity';
import type { ZodType } from 'zod';

const BEAT_MS = 2_000;

/**
 * Runs `work` with the activity's cancellation signal, heartbeating beside it: without heartbeats a cancellation would never arrive,
 * and a worker that died would be noticed only at the attempt's end.
 */
export async function withHeartbeat<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), BEAT_MS);
  try {
    context.heartbeat();
    return await work(context.cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}

/**
 * As `withHeartbeat`, for work that tells how far it came: an attempt begins with what the one before last told, or with `first`. Details that do not look like these are
 * those of another build, and are not used.
 */
export async function beatingFrom<Details, Result>(
  schema: ZodType<Details>,
  first: Details,
  work: (signal: AbortSignal, from: Details, tell: (details: Details) => void) => Promise<Result>,
): Promise<Result> {
  const context = Context.current();
  const told = schema.safeParse(context.info.heartbeatDetails);
  const from = told.success ? told.data : first;
  let last = from;
  const timer = setInterval(() => context.heartbeat(last), BEAT_MS);
  try {
    context.heartbeat(last);
    return await work(context.cancellationSignal, from, (details) => {
      last = details;
      context.heartbeat(details);
    });
  } finally {
    clearInterval(timer);
  }
}
