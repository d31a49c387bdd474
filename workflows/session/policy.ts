import { proxyActivities } from '@temporalio/workflow';
import { modelCalls } from '../model-calls.ts';
import { QUEUES } from '../queues.ts';
import type { SessionActivities, SummariseActivities } from './types.ts';

/**
 * Short transactions: 10 s without a heartbeat is a hundred times what one takes, and all that a killed worker costs; the minute is for
 * those that stand back in a flood of captures, heartbeating. No total bound: without PostgreSQL
 * there is nothing that the session could do instead, and the capture that waits in it must not be given up.
 */
export const database = proxyActivities<SessionActivities>({
  taskQueue: QUEUES.session,
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: '10 seconds',
  retry: {
    initialInterval: '500 milliseconds',
    backoffCoefficient: 2,
    maximumInterval: '30 seconds',
  },
});

/** Summaries: bounds and reasons stand with `modelCalls`. */
export function modelOf(tenantId: string): SummariseActivities {
  return proxyActivities<SummariseActivities>(modelCalls(tenantId));
}
