/** From the start of the process to its end, whatever hangs. */
const CAPTURE_LIMIT_MS = 500;
const CONTEXT_LIMIT_MS = 2_000;
/** What is kept of the limit for redacting, writing and syncing an event that the server did not take. */
const CAPTURE_RESERVE_MS = 150;
const CONTEXT_RESERVE_MS = 300;
/** Handing an event to another process, and ending, takes some milliseconds itself. */
const LEAVE_MS = 70;
/** To read what the host has written already, where Node itself took most of the limit to start; and where it took more than all of it. */
const LEAST_RUN_MS = 120;
const LATE_RUN_MS = 500;
/** So long before the end, an input that the host has not ended is looked at once more. */
export const LAST_LOOK_MS = 20;
/** With less time than this, redacting and writing is left to another process at once. */
export const KEEP_MS = 60;
/**
 * The very end after the time is over. Handing over needs a tenth of it; only on a machine where processes wait for a processor is
 * an event worth more than the last milliseconds of a limit that was lost there anyway.
 */
export const HAND_OVER_MS = 250;
/** The longest wait for a server that left others waiting. */
export const OUTAGE_WAIT_MS = 400;

/** The server takes no larger hook. */
export const INPUT_BYTES = 32 * 1024 * 1024;
/** An event larger than this is redacted by a process of its own: the agent does not wait for it. */
export const REDACT_AT_ONCE_BYTES = 512 * 1024;
export const SPOOL_BYTES = 64 * 1024 * 1024;
export const EVENT_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** When things have to be over, in milliseconds since the process started. */
export interface Schedule {
  /** Waiting for the server ends. */
  readonly serverMs: number;
  /** The process ends. */
  readonly endMs: number;
}

/** The schedule of one run; an event that may bring context is waited for longer. */
export function scheduleOf(context: boolean): Schedule {
  const [limit, reserve] = context ? [CONTEXT_LIMIT_MS, CONTEXT_RESERVE_MS] : [CAPTURE_LIMIT_MS, CAPTURE_RESERVE_MS];
  return { serverMs: limit - reserve, endMs: limit - LEAVE_MS };
}

/** How long a run may go on from now. A machine that had no processor for its start has none for its threads either. */
export function runMs({ endMs }: Schedule, nowMs: number): number {
  return nowMs > endMs ? LATE_RUN_MS : Math.max(endMs - nowMs, LEAST_RUN_MS);
}
