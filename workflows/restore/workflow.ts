import { ApplicationFailure, proxyActivities } from '@temporalio/workflow';
import { REMOVAL, ROW, TRANSFER } from '../activity-options.ts';
import { applicationFailure } from '../failures.ts';
import { finish, Progress, runJob, showPhase } from '../run-job.ts';
import type { RestoreActivities, RestoreInput, RestoreStep, RestoreView } from './types.ts';

/** Permanent failures, such as a difference that verification finds, end a restore at once. */
const steps = proxyActivities<RestoreActivities>(TRANSFER);
const opening = proxyActivities<Pick<RestoreActivities, 'openDrill'>>(ROW);
const ending = proxyActivities<Pick<RestoreActivities, 'endRestoreRun'>>(REMOVAL);

/** Runs a restore and records how it ended. The message of a typed failure names files and keys at most. */
async function run({ restoreId }: RestoreInput, work: () => Promise<void>): Promise<void> {
  await runJob(work, (end, error) => {
    const cause = applicationFailure(error);
    const message = end.state === 'failed' && cause instanceof ApplicationFailure ? cause.message : null;
    return ending.endRestoreRun({ restoreId, ...end, message });
  });
  await finish(() => ending.endRestoreRun({ restoreId, state: 'completed', error: null, message: null }));
}

function watch(): { readonly progress: Progress<RestoreView>; readonly at: (phase: RestoreStep) => void } {
  const progress = new Progress<RestoreView>({ phase: 'checking' });
  return {
    progress,
    at: (phase) => {
      progress.view = { phase };
      showPhase(phase);
    },
  };
}

/** Checks the set and builds a database of it, proved against the set; false where a dry run has seen enough. */
async function build(input: RestoreInput, at: (phase: RestoreStep) => void): Promise<boolean> {
  at('checking');
  const { dryRun } = await steps.checkSet(input);
  if (dryRun) return false;
  at('copying');
  await steps.copySetIn(input);
  at('indexing');
  await steps.indexRestored(input);
  at('verifying');
  await steps.verifyRestored(input);
  at('vectors');
  await steps.verifyVectors(input);
  return true;
}

/** Restores a set into this instance. Until the swap nothing of the running one is touched, and cancelling leaves nothing; from then on it goes through. */
export async function restoreRun(input: RestoreInput): Promise<RestoreView> {
  const { progress, at } = watch();
  await run(input, async () => {
    if (!(await build(input, at))) return;
    await finish(async () => {
      at('swapping');
      await steps.swapIn(input);
      at('resuming');
      await steps.resumeInstance(input);
    });
  });
  at('completed');
  return progress.view;
}

/** Restores the newest set beside the running instance, verifies it, and deletes it. Without input: started by the schedule. */
export async function restoreDrill(input?: RestoreInput): Promise<RestoreView> {
  const { progress, at } = watch();
  const drill = input ?? (await opening.openDrill());
  if (drill !== null)
    await run(drill, async () => {
      await build(drill, at);
    });
  at('completed');
  return progress.view;
}
