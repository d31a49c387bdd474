import { proxyActivities } from '@temporalio/workflow';
import { QUEUES } from '../queues.ts';
import type { MaintenanceActivities, SweepResult } from './types.ts';

/**
 * Each sweep may be done again: a worker that was killed in the middle of one is noticed when its time is over. No second one runs beside it, the
 * schedule sees to that, so that trying on is as good as the next run: what it needs may be away for longer than a few attempts take.
 */
const sweep = proxyActivities<Pick<MaintenanceActivities, 'sweepCaptures'>>({
  taskQueue: QUEUES.sweeps,
  startToCloseTimeout: '50 seconds',
  scheduleToCloseTimeout: '30 minutes',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '2 seconds', maximumInterval: '10 seconds' },
});

/** Adding partitions is idempotent and must not wait for tomorrow's run. */
const partitioning = proxyActivities<Pick<MaintenanceActivities, 'ensurePartitions'>>({
  taskQueue: QUEUES.sweeps,
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '6 hours',
  retry: { initialInterval: '10 seconds', maximumInterval: '10 minutes' },
});

/** Tells the workflows of sessions again whose captures they were never told of. */
export async function captureSweep(): Promise<SweepResult> {
  return sweep.sweepCaptures();
}

/** Makes the coming months' partitions of the hot tables. */
export async function partitions(): Promise<{ readonly created: number }> {
  return partitioning.ensurePartitions();
}
