import { proxyActivities } from '@temporalio/workflow';
import { QUEUES } from '../queues.ts';
import type { ConsolidationActivities, ConsolidationResult } from './types.ts';

/**
 * A large store takes minutes, most of it embedding what is new; an attempt that is cut off tells the next one, by its heartbeat, up to which project it
 * came. Nothing waits for it, and tomorrow's run does what this one could not.
 */
const consolidating = proxyActivities<ConsolidationActivities>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '2 hours',
  scheduleToCloseTimeout: '12 hours',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '10 seconds', maximumInterval: '10 minutes' },
});

/** Joins what says the same, lets use and confidence decay, and takes out of the graph what nothing names. */
export async function consolidation(): Promise<ConsolidationResult> {
  return consolidating.consolidate();
}
