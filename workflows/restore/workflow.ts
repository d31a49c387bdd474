import { ApplicationFailure, proxyActivities } from '@temporalio/workflow';
import { applicationFailure } from '../failure-reason.ts';
import { QUEUES } from '../queues.ts';
import { finish, Progress, runJob, showPhase } from '../run-job.ts';
import type { RestoreActivities, RestoreInput, RestoreStep, RestoreView } from './types.ts';

/**
 * Each step processes a complete set for minutes to hours, with heartbeats, and resumes a failed attempt. It waits up to a day for an unavailable
 * store or server; permanent failures, known by their type, end it at once.
 */
const steps = proxyActivities<RestoreActivities>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '12 hours',
  scheduleToCloseTimeout: '2 days',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/** Verification that fails by a difference is permanent; the limit ends one that fails by anything else again and again. */
const verifying = proxyActivities<Pick<RestoreActivities, 'verifyRestored'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '12 hours',
  scheduleToCloseTimeout: '2 days',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute', maximumAttempts: 20 },
});

/** One row; a minute is long for it, and a day is how long a drill that could not be opened is of use. */
const opening = proxyActivities<Pick<RestoreActivities, 'openDrill'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '1 day',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/** Dropping a database takes seconds; what a restore left must go, and people wait to see how it ended, so it is tried for a day. */
const ending = proxyActivities<Pick<RestoreActivities, 'endRestoreRun'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '10 minutes',
  scheduleToCloseTimeout: '1 day',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

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
  await verifying.verifyRestored(input);
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
