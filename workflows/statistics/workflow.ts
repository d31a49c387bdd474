import { proxyActivities } from '@temporalio/workflow';
import { QUEUES } from '../queues.ts';
import type { StatisticsActivities, StatisticsResult } from './types.ts';

/** Counting a hundred million rows takes minutes; written anew it is the same, so that an attempt that is cut off costs nothing but its time. */
const counting = proxyActivities<StatisticsActivities>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '2 hours',
  scheduleToCloseTimeout: '12 hours',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '10 seconds', maximumInterval: '10 minutes' },
});

/** Writes down the figures of the day. */
export async function statisticsRun(): Promise<StatisticsResult> {
  return counting.takeStatistics();
}
