import { proxyActivities } from '@temporalio/workflow';
import { QUEUES } from '../queues.ts';
import type { MaintenanceActivities, SweepResult } from './types.ts';

/**
 * Sweeps are idempotent: a killed worker is detected by the timeout. The schedule prevents concurrent sweeps, so that retries are equivalent to the
 * next run: its stores may be unavailable for longer than a few attempts take.
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

/** Resends lost hints to session workflows. */
export async function captureSweep(): Promise<SweepResult> {
  return sweep.sweepCaptures();
}

/** Creates the coming months' partitions of the hot tables. */
export async function partitions(): Promise<{ readonly created: number }> {
  return partitioning.ensurePartitions();
}
