import { proxyActivities } from '@temporalio/workflow';
import { QUEUES } from '../queues.ts';
import type { ConsolidationActivities, ConsolidationResult } from './types.ts';

/**
 * A large store takes minutes, most of it to embed new learnings; the heartbeat of an interrupted attempt passes its last project to the next one.
 * Nothing waits for it, and tomorrow's run completes the rest.
 */
const consolidating = proxyActivities<ConsolidationActivities>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '2 hours',
  scheduleToCloseTimeout: '12 hours',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '10 seconds', maximumInterval: '10 minutes' },
});

/** Merges duplicates, decays use and confidence, and deletes unreferenced entities of the graph. */
export async function consolidation(): Promise<ConsolidationResult> {
  return consolidating.consolidate();
}
