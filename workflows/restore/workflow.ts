import {
  ApplicationFailure,
  CancellationScope,
  defineQuery,
  isCancellation,
  proxyActivities,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { applicationFailure } from '../failure-reason.ts';
import { QUEUES } from '../queues.ts';
import { RESTORE_PROGRESS_QUERY } from './messages.ts';
import type { RestoreActivities, RestoreEnd, RestoreInput, RestoreStep, RestoreView } from './types.ts';

const progress = defineQuery<RestoreView>(RESTORE_PROGRESS_QUERY);
const PHASE = { name: 'RecollectPhase', type: 'KEYWORD' } as const;

/**
 * Each step goes through a whole set for minutes to hours, beats while it does, and goes on where an attempt that died had come to. A store or a
 * server that is away for a day is waited for; what no attempt can mend ends at once, by its type.
 */
const steps = proxyActivities<RestoreActivities>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '12 hours',
  scheduleToCloseTimeout: '2 days',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute', maximumAttempts: 500 },
});

/** Looked at again where it is of use: a comparison that came out unequal, twice, will not come out equal the third time. */
const proving = proxyActivities<Pick<RestoreActivities, 'verifyRestored'>>({
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

/** Types whose words name files and keys at most; of all others the type alone is kept. */
function endOf(restoreId: string, error: unknown): RestoreEnd {
  if (isCancellation(error)) return { restoreId, state: 'cancelled', error: null, message: null };
  const cause = applicationFailure(error);
  if (!(cause instanceof ApplicationFailure)) return { restoreId, state: 'failed', error: 'Unexpected', message: null };
  return { restoreId, state: 'failed', error: cause.type ?? 'Unexpected', message: cause.message };
}

async function run({ restoreId }: RestoreInput, work: () => Promise<void>): Promise<void> {
  let end: RestoreEnd = { restoreId, state: 'completed', error: null, message: null };
  try {
    await work();
  } catch (error) {
    end = endOf(restoreId, error);
    throw error;
  } finally {
    await CancellationScope.nonCancellable(() => ending.endRestoreRun(end));
  }
}

function watched(): { readonly view: () => RestoreView; readonly at: (phase: RestoreStep) => void } {
  let view: RestoreView = { phase: 'checking' };
  setHandler(progress, () => view);
  return {
    view: () => view,
    at: (phase) => {
      view = { phase };
      upsertSearchAttributes([{ key: PHASE, value: phase }]);
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
  await proving.verifyRestored(input);
  at('vectors');
  await steps.verifyVectors(input);
  return true;
}

/** Restores a set into this instance. Until the swap nothing of the running one is touched, and cancelling leaves nothing; from then on it goes through. */
export async function restoreRun(input: RestoreInput): Promise<RestoreView> {
  const { view, at } = watched();
  await run(input, async () => {
    if (!(await build(input, at))) return;
    await CancellationScope.nonCancellable(async () => {
      at('swapping');
      await steps.swapIn(input);
      at('resuming');
      await steps.resumeInstance(input);
    });
  });
  at('completed');
  return view();
}

/** Restores the newest set beside the running instance, compares, and takes it away again. Without input: the schedule asks. */
export async function restoreDrill(input?: RestoreInput): Promise<RestoreView> {
  const { view, at } = watched();
  const drill = input ?? (await opening.openDrill());
  if (drill !== null)
    await run(drill, async () => {
      await build(drill, at);
    });
  at('completed');
  return view();
}
