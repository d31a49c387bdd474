import { continueAsNew, proxyActivities, workflowInfo } from '@temporalio/workflow';
import { ROWS, STEP } from '../activity-options.ts';
import { finish, Progress, runJob } from '../run-job.ts';
import type { JobEnd } from '../run-job.ts';
import type { ArchiveRestoreInput, RetentionActivities, RetentionInput, RetentionView } from './types.ts';

/** Steps of one run, a handful of events each. */
const MAX_STEPS = 200;

const stepping = proxyActivities<Pick<RetentionActivities, 'stepRetention'>>(STEP);
const bookkeeping = proxyActivities<Pick<RetentionActivities, 'openRetention' | 'finishRetention'>>(ROWS);

/** A user waits to read the session; if the store is unavailable for longer than this, the job fails, and the archive remains. */
const restoring = proxyActivities<Pick<RetentionActivities, 'restoreArchived'>>({
  ...STEP,
  startToCloseTimeout: '15 minutes',
  scheduleToCloseTimeout: '1 hour',
});

/**
 * Applies retention policies: with a run's id that run of one tenant, without one (by the schedule) for every tenant that has policies. If it is
 * cancelled, it ends between two batches; deleted rows are counted.
 */
export async function retentionRun(input: RetentionInput = {}): Promise<RetentionView> {
  const groupId = input.runId ?? input.groupId ?? workflowInfo().runId;
  const progress = new Progress<RetentionView>(input.view ?? { runs: 1, rows: 0, steps: 0 });
  const end = (how: JobEnd) => bookkeeping.finishRetention({ groupId, ...how });
  const isOver = await runJob(async () => {
    if (input.runId === undefined && input.groupId === undefined) {
      const { runs } = await bookkeeping.openRetention({ groupId });
      progress.view = { ...progress.view, runs };
      if (runs === 0) return true;
    }
    for (let steps = 0; steps < MAX_STEPS && !workflowInfo().continueAsNewSuggested; steps += 1) {
      const { rows, more } = await stepping.stepRetention({ groupId });
      progress.view = { ...progress.view, rows: progress.view.rows + rows, steps: progress.view.steps + 1 };
      if (more) continue;
      await finish(() => end({ state: 'completed', error: null }));
      return true;
    }
    return false;
  }, end);
  return isOver ? progress.view : continueAsNew<typeof retentionRun>({ groupId, view: progress.view });
}

/** Restores an archived session. */
export async function archiveRestore(input: ArchiveRestoreInput): Promise<{ readonly restored: boolean }> {
  return restoring.restoreArchived(input);
}
