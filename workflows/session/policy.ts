import { proxyActivities } from '@temporalio/workflow';
import { modelCalls } from '../model-calls.ts';
import { QUEUES } from '../queues.ts';
import type { SessionActivities, SummariseActivities } from './types.ts';

/**
 * Short transactions: 10 s without a heartbeat is a hundred times what one takes, and all that a killed worker costs; the minute is for
 * those that defer during a burst of captures, with heartbeats. No total limit: without PostgreSQL
 * the session can do nothing else, and must not give up the captures that wait in it.
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
