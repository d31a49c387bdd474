/** Time limit from process start to exit. */
const CAPTURE_LIMIT_MS = 500;
const CONTEXT_LIMIT_MS = 2_000;
/** Part of the limit reserved to redact, write and sync an undelivered event. */
const CAPTURE_RESERVE_MS = 150;
const CONTEXT_RESERVE_MS = 300;
/** Time to hand an event to another process and exit. */
const LEAVE_MS = 70;
/** Minimum run time to read the input if Node's start took most of the limit, or more than the limit. */
const LEAST_RUN_MS = 120;
const LATE_RUN_MS = 500;
/** Time before the limit at which an unfinished input is checked once more. */
export const LAST_LOOK_MS = 20;
/** With less time, a background process redacts and writes. */
export const SPOOL_MS = 60;
/**
 * Extra time to hand over an event after the limit. A tenth usually suffices; the rest is for overloaded machines, where the limit
 * is already exceeded.
 */
export const HAND_OVER_MS = 250;
/** Timeout for a server with pending spooled events. */
export const OUTAGE_WAIT_MS = 400;

/** Maximum size of a hook on the server. */
export const INPUT_BYTES = 32 * 1024 * 1024;
/** Larger events are redacted in the background. */
export const REDACT_AT_ONCE_BYTES = 512 * 1024;
export const SPOOL_BYTES = 64 * 1024 * 1024;
export const EVENT_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** Deadlines in milliseconds since the process start. */
export interface Schedule {
  /** Deadline of the server's response. */
  readonly serverMs: number;
  /** Deadline of the process. */
  readonly endMs: number;
}

/** Returns the deadlines of one run; longer for events with context. */
export function scheduleOf(context: boolean): Schedule {
  const [limit, reserve] = context ? [CONTEXT_LIMIT_MS, CONTEXT_RESERVE_MS] : [CAPTURE_LIMIT_MS, CAPTURE_RESERVE_MS];
  return { serverMs: limit - reserve, endMs: limit - LEAVE_MS };
}

/** Returns the remaining time of a run in ms; a minimum on overloaded machines. */
export function runMs({ endMs }: Schedule, nowMs: number): number {
  return nowMs > endMs ? LATE_RUN_MS : Math.max(endMs - nowMs, LEAST_RUN_MS);
}
