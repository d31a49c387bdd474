import type { ActivityOptions } from '@temporalio/workflow';
import { QUEUES } from './registry.ts';

/* Options of activities, by kind of step. Total bounds end retries; an attempt limit exists only where attempts are paid for. */

const SOON = { initialInterval: '1 second', maximumInterval: '1 minute' } as const;

/** One short transaction that users wait to see: retried for a day, because nothing else shows that the job has ended. */
export const ROW: ActivityOptions = {
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '30 seconds',
  scheduleToCloseTimeout: '1 day',
  retry: SOON,
};

/** As `ROW`, for many rows or the removal of some files. */
export const ROWS: ActivityOptions = { ...ROW, startToCloseTimeout: '2 minutes' };

/** As `ROW`, for the removal of all that an incomplete backup or a restore left. */
export const REMOVAL: ActivityOptions = {
  ...ROW,
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '30 seconds',
};

/** Minutes of work that is committed with its position: a failed attempt costs little, and the step continues after up to a day without a store. */
export const STEP: ActivityOptions = {
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '30 minutes',
  scheduleToCloseTimeout: '1 day',
  heartbeatTimeout: '20 seconds',
  retry: SOON,
};

/** Minutes to hours of work on a complete set or file, which a retry resumes or writes again. A store may be unavailable for a day. */
export const TRANSFER: ActivityOptions = {
  ...STEP,
  startToCloseTimeout: '12 hours',
  scheduleToCloseTimeout: '2 days',
  heartbeatTimeout: '30 seconds',
};

/** Up to hours of work that no caller waits for, and that the next run of a schedule repeats: it ends before that one is due. */
export const SCHEDULED: ActivityOptions = {
  ...STEP,
  startToCloseTimeout: '6 hours',
  scheduleToCloseTimeout: '12 hours',
  retry: { initialInterval: '5 seconds', maximumInterval: '5 minutes' },
};

/** An idempotent sweep of every minute. The schedule prevents concurrent ones, so that retries are equivalent to the next run. */
export const SWEEP: ActivityOptions = {
  taskQueue: QUEUES.sweeps,
  startToCloseTimeout: '50 seconds',
  scheduleToCloseTimeout: '30 minutes',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '2 seconds', maximumInterval: '10 seconds' },
};

/**
 * One model call with one repair takes seconds; at most a minute's wait for a place among the concurrent calls and two minutes' response, twice.
 * Three attempts in twenty minutes, for hiccups: attempts are paid for, and the session's workflow itself waits out an outage or a quota, visibly.
 */
export function modelCalls(tenantId: string) {
  return {
    // One tenant's backlog must not keep the others waiting.
    priority: { fairnessKey: tenantId },
    taskQueue: QUEUES.model,
    startToCloseTimeout: '7 minutes',
    scheduleToCloseTimeout: '20 minutes',
    heartbeatTimeout: '10 seconds',
    retry: {
      initialInterval: '2 seconds',
      maximumInterval: '30 seconds',
      maximumAttempts: 3,
      // The session waits for midnight itself, where it is shown and can be ended. Permanent failures carry the flag of the failure.
      nonRetryableErrorTypes: ['BudgetExhausted'],
    },
  } satisfies ActivityOptions;
}
