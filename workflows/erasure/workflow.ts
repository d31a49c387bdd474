import { continueAsNew, proxyActivities, sleep, workflowInfo } from '@temporalio/workflow';
import { ROW, STEP } from '../activity-options.ts';
import { finish, Progress, runJob, showPhase } from '../run-job.ts';
import type { ErasureActivities, ErasureInput, ErasureView } from './types.ts';

/** Steps of one run, eight events each. */
const MAX_STEPS = 60;

/**
 * A step processes rows, vectors or files for at most a minute, except for one huge search, and resumes an interrupted attempt from the tables. It is
 * retried for a month: an erasure must not fail because a store is unavailable for a day.
 */
const erasing = proxyActivities<Pick<ErasureActivities, 'eraseNext'>>({
  ...STEP,
  startToCloseTimeout: '1 hour',
  scheduleToCloseTimeout: '30 days',
});
const ending = proxyActivities<Pick<ErasureActivities, 'endErasure'>>(ROW);

/** Erases: the journal first, then rows, vectors and files, at last a check that nothing is left. It can be cancelled until the journal is written. */
export async function erasureRun(input: ErasureInput): Promise<ErasureView> {
  const progress = new Progress<ErasureView>({ phase: 'queued' });
  const steps = async (): Promise<void> => {
    for (
      let done = 0;
      progress.view.phase !== 'completed' && done < MAX_STEPS && !workflowInfo().continueAsNewSuggested;
      done += 1
    ) {
      const { phase, waitMs } = await erasing.eraseNext(input);
      const before = progress.view.phase;
      if (phase !== before) showPhase(phase);
      progress.view = { phase };
      // The journal is written: not cancellable from here on.
      if (before === 'queued' && phase !== 'queued') return;
      if (waitMs > 0) await sleep(waitMs);
    }
  };
  await runJob(
    async () => {
      await steps();
      await finish(steps);
    },
    (end) => ending.endErasure({ ...input, ...end }),
  );
  return progress.view.phase === 'completed' ? progress.view : continueAsNew<typeof erasureRun>(input);
}
