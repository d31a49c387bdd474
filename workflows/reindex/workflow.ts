import {
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  proxyActivities,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { QUEUES } from '../queues.ts';
import { PROGRESS_QUERY } from '../messages.ts';
import { ATTRIBUTES } from '../search-attributes.ts';
import { WAKE_SIGNAL } from './messages.ts';
import type { ReindexActivities, ReindexInput, ReindexView } from './types.ts';

const wake = defineSignal(WAKE_SIGNAL);
const progress = defineQuery<ReindexView>(PROGRESS_QUERY);

/** Steps of one run, eight events each. */
const MAX_STEPS = 60;

/**
 * A step processes a ledger, or removes an index, for minutes, with heartbeats; a retry resumes at the position in the tables. It is
 * retried without limit: no caller waits for it, and search continues with the old index.
 */
const stepping = proxyActivities<ReindexActivities>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '1 hour',
  scheduleToCloseTimeout: '365 days',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

/** Moves a tenant from the served index to the target index: fills the ledger, waits for the index workflow to embed, switches, and removes the old index. */
export async function reindex(input: ReindexInput): Promise<void> {
  let view: ReindexView = { phase: 'filling', waiting: null };
  let woken = false;
  setHandler(wake, () => {
    woken = true;
  });
  setHandler(progress, () => view);
  for (let steps = 0; steps < MAX_STEPS && !workflowInfo().continueAsNewSuggested; steps += 1) {
    woken = false;
    const { phase, waiting, waitMs } = await stepping.reindexStep(input);
    if (phase !== view.phase || waiting !== view.waiting || steps === 0)
      upsertSearchAttributes([
        { key: ATTRIBUTES.phase, value: phase },
        { key: ATTRIBUTES.waiting, value: waiting },
      ]);
    view = { phase, waiting };
    if (phase === 'completed') {
      if (!woken) return;
    } else if (waitMs > 0) await condition(() => woken, waitMs);
  }
  await continueAsNew<typeof reindex>(input);
}
