import { proxyActivities } from '@temporalio/workflow';
import { PERMANENT_FAILURES } from '../failure-types.ts';
import { QUEUES } from '../queues.ts';
import type { SessionActivities, SummariseActivities } from './types.ts';

/** Continue as new after this many hints: the server's own suggestion does not count signals (10,000 end a run). */
export const MAX_SIGNALS = 2_000;
/** … or this many rounds, about 15 events each: well under the 10,240 events at which the server begins to warn. */
export const MAX_ROUNDS = 400;
/** Parked windows get another turn when the session closes, so often in all. */
export const MAX_PROVIDER_WAIT_MS = 600_000;
/** A lost `indexed` signal costs no more than this. */
export const INDEX_CHECK_MS = 30_000;

/**
 * Short transactions: 30 s is a hundred times what one takes. No total bound: without PostgreSQL there is nothing that the session
 * could do instead, and the capture that waits in it must not be given up.
 */
export const database = proxyActivities<SessionActivities>({
  taskQueue: QUEUES.session,
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds', nonRetryableErrorTypes: [...PERMANENT_FAILURES] },
});

/**
 * One model call with one repair takes seconds, three minutes at most. Three attempts in ten minutes, for hiccups; what lasts longer
 * is an outage or a quota, and the workflow waits for that itself, where it is seen.
 */
export const model = proxyActivities<SummariseActivities>({
  taskQueue: QUEUES.model,
  startToCloseTimeout: '3 minutes',
  scheduleToCloseTimeout: '10 minutes',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '2 seconds', backoffCoefficient: 2, maximumInterval: '30 seconds', maximumAttempts: 3, nonRetryableErrorTypes: [...PERMANENT_FAILURES] },
});
