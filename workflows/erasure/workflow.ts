import {
  ActivityCancellationType,
  CancellationScope,
  continueAsNew,
  defineQuery,
  isCancellation,
  proxyActivities,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { failureReason } from '../failure-reason.ts';
import { NOT_RETRIED } from '../failure-types.ts';
import { QUEUES } from '../queues.ts';
import { ERASURE_PROGRESS_QUERY } from './messages.ts';
import type { ErasureActivities, ErasureInput, ErasureView } from './types.ts';

const progress = defineQuery<ErasureView>(ERASURE_PROGRESS_QUERY);
const PHASE = { name: 'RecollectPhase', type: 'KEYWORD' } as const;

/** Steps of one run, eight events each. */
const MAX_STEPS = 60;

/**
 * A step goes through rows, vectors or files for a minute at most but for one huge search, and one that was cut off is taken up where the tables say. It is
 * tried for a month: whoever asked to be erased must not depend on a store that is away for a day.
 */
const erasing = proxyActivities<Pick<ErasureActivities, 'eraseNext'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '1 hour',
  scheduleToCloseTimeout: '30 days',
  heartbeatTimeout: '20 seconds',
  // What it was about to write is there or not before anything else is decided.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: {
    initialInterval: '1 second',
    backoffCoefficient: 2,
    maximumInterval: '1 minute',
    nonRetryableErrorTypes: [...NOT_RETRIED],
  },
});

/** One short transaction that people wait to see. */
const ending = proxyActivities<Pick<ErasureActivities, 'endErasure'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '20 seconds',
  scheduleToCloseTimeout: '1 day',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/** Erases for good: the journal first, then rows, vectors and files, at last a look whether anything is left. Called off it can be until the journal is written, not later. */
export async function erasureRun(input: ErasureInput): Promise<ErasureView> {
  let view: ErasureView = { phase: 'queued' };
  setHandler(progress, () => view);
  const steps = async (): Promise<void> => {
    for (
      let done = 0;
      view.phase !== 'completed' && done < MAX_STEPS && !workflowInfo().continueAsNewSuggested;
      done += 1
    ) {
      const { phase, waitMs } = await erasing.eraseNext(input);
      if (phase !== view.phase) upsertSearchAttributes([{ key: PHASE, value: phase }]);
      const wasQueued = view.phase === 'queued';
      view = { phase };
      // From here on nothing calls it off.
      if (wasQueued && phase !== 'queued') return;
      if (waitMs > 0) await sleep(waitMs);
    }
  };
  try {
    await steps();
    await CancellationScope.nonCancellable(steps);
  } catch (error) {
    const { tenantId, erasureId } = input;
    const state = isCancellation(error) ? 'cancelled' : 'failed';
    await CancellationScope.nonCancellable(() =>
      ending.endErasure({ tenantId, erasureId, state, error: state === 'failed' ? failureReason(error) : null }),
    );
    throw error;
  }
  return view.phase === 'completed' ? view : continueAsNew<typeof erasureRun>(input);
}
