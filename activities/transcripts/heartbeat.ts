import { Context } from '@temporalio/activity';
import { z } from 'zod';

/** Where an attempt was, for the one that follows it: the id of a file's row, never its name, and the offset in it. */
const details = z.object({ file: z.string(), offset: z.number() });
export type ReadingDetails = z.output<typeof details>;

const BEAT_MS = 2_000;

/** What the attempt before this one last said; null for the first, and for anything that does not look like it. */
export function previousDetails(): ReadingDetails | null {
  const parsed = details.safeParse(Context.current().info.heartbeatDetails);
  return parsed.success ? parsed.data : null;
}

/**
 * Runs `work` with the activity's cancellation signal, heartbeating beside it with the details that `work` last told: without heartbeats a
 * cancellation would never arrive, and a worker that died would be noticed only at the attempt's end.
 */
export async function beatingWith<Result>(
  work: (signal: AbortSignal, tell: (details: ReadingDetails) => void) => Promise<Result>,
): Promise<Result> {
  const context = Context.current();
  let last = previousDetails();
  const timer = setInterval(() => context.heartbeat(last ?? undefined), BEAT_MS);
  try {
    context.heartbeat(last ?? undefined);
    return await work(context.cancellationSignal, (told) => {
      last = told;
      context.heartbeat(told);
    });
  } finally {
    clearInterval(timer);
  }
}
