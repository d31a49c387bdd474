import { proxyActivities } from '@temporalio/workflow';
import { PERMANENT_FAILURES } from '../failure-types.ts';
import { QUEUES } from '../queues.ts';
import type { SessionActivities, SummariseActivities } from './types.ts';

/**
 * Short transactions: 10 s is a hundred times what one takes, and all that a killed worker costs. No total bound: without PostgreSQL there is nothing that the session
 * could do instead, and the capture that waits in it must not be given up.
 */
export const database = proxyActivities<SessionActivities>({
  taskQueue: QUEUES.session,
  startToCloseTimeout: '10 seconds',
  retry: {
    initialInterval: '500 milliseconds',
    backoffCoefficient: 2,
    maximumInterval: '30 seconds',
    nonRetryableErrorTypes: [...PERMANENT_FAILURES],
  },
});

/**
 * One model call with one repair takes seconds, three minutes at most. Three attempts in ten minutes, for hiccups; what lasts longer
 * is an outage or a quota, and the workflow waits for that itself, where it is seen.
 */
export const model = proxyActivities<SummariseActivities>({
  taskQueue: QUEUES.model,
  startToCloseTimeout: '3 minutes',
  scheduleToCloseTimeout: '10 minutes',
  heartbeatTimeout: '10 seconds',
  retry: {
    initialInterval: '2 seconds',
    backoffCoefficient: 2,
    maximumInterval: '30 seconds',
    maximumAttempts: 3,
    nonRetryableErrorTypes: [...PERMANENT_FAILURES],
  },
});
