import {
  CancellationScope,
  continueAsNew,
  defineQuery,
  isCancellation,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { failureReason } from '../failure-reason.ts';
import { QUEUES } from '../queues.ts';
import { RETENTION_PROGRESS_QUERY } from './messages.ts';
import type { ArchiveRestoreInput, RetentionActivities, RetentionEnd, RetentionInput, RetentionView } from './types.ts';

const progress = defineQuery<RetentionView>(RETENTION_PROGRESS_QUERY);

/** Steps of one run, a handful of events each. */
const MAX_STEPS = 200;

/**
 * A step works for some seconds in batches that are committed with where they came to: one that dies costs no more than its last batch. Nobody waits for it,
 * and what a day of trying does not mend is left to the next run.
 */
const stepping = proxyActivities<Pick<RetentionActivities, 'stepRetention'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '30 minutes',
  scheduleToCloseTimeout: '1 day',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/** Short transactions; done again they find what they made. */
const bookkeeping = proxyActivities<Pick<RetentionActivities, 'openRetention' | 'finishRetention'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '2 minutes',
  scheduleToCloseTimeout: '1 day',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/** Somebody waits to read the session; a store that is away for longer than this is told of, and the archive stays where it is. */
const restoring = proxyActivities<Pick<RetentionActivities, 'restoreArchived'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '15 minutes',
  scheduleToCloseTimeout: '1 hour',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '30 seconds', maximumAttempts: 20 },
});

function end(groupId: string, state: RetentionEnd['state'], error: string | null): Promise<void> {
  return CancellationScope.nonCancellable(() => bookkeeping.finishRetention({ groupId, state, error }));
}

/**
 * Does what policies say: with a run's id that run of one tenant, without one (by the schedule) for every tenant that has policies. Cancelled, it ends
 * between two batches; what went is gone, and counted.
 */
export async function retentionRun(input: RetentionInput = {}): Promise<RetentionView> {
  const groupId = input.runId ?? input.groupId ?? workflowInfo().runId;
  let view: RetentionView = input.view ?? { runs: 1, rows: 0, steps: 0 };
  setHandler(progress, () => view);
  try {
    if (input.runId === undefined && input.groupId === undefined) {
      const { runs } = await bookkeeping.openRetention({ groupId });
      view = { ...view, runs };
    }
    for (let steps = 0; view.runs > 0 && steps < MAX_STEPS && !workflowInfo().continueAsNewSuggested; steps += 1) {
      const { rows, more } = await stepping.stepRetention({ groupId });
      view = { ...view, rows: view.rows + rows, steps: view.steps + 1 };
      if (more) continue;
      await end(groupId, 'completed', null);
      return view;
    }
    if (view.runs === 0) return view;
  } catch (error) {
    await (isCancellation(error) ? end(groupId, 'cancelled', null) : end(groupId, 'failed', failureReason(error)));
    throw error;
  }
  return continueAsNew<typeof retentionRun>({ groupId, view });
}

/** Brings an archived session back. */
export async function archiveRestore(input: ArchiveRestoreInput): Promise<{ readonly restored: boolean }> {
  return restoring.restoreArchived(input);
}
