import {
  ActivityFailure,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  proxyActivities,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { STEP } from '../activity-options.ts';
import { ATTRIBUTES, PROGRESS_QUERY, QUEUES } from '../registry.ts';
import { INDEX_HINT_SIGNAL, WAKE_SIGNAL } from './types.ts';
import type { IndexActivities, IndexInput, ReindexActivities, ReindexView } from './types.ts';

const hint = defineSignal(INDEX_HINT_SIGNAL);

/** A run that found nothing more to do stays this long: hints of a live session come every few seconds. */
const LINGER_MS = 10_000;
/** Batches of one run, five events each. */
const MAX_BATCHES = 200;
const FIRST_WAIT_MS = 1_000;
const MAX_WAIT_MS = 60_000;
/** Rest after an hour of attempts that all failed. */
const UNAVAILABLE_WAIT_MS = 10_000;

/** Continue as new after this many hints: 10,000 end a run, and they arrive even while the model is unavailable. */
const MAX_SIGNALS = 2_000;

/**
 * A batch takes a second or two, minutes on an overloaded machine: heartbeats prevent a concurrent retry. Attempts end after an hour; the run then
 * counts its hints and tries again while the model or the index is unavailable: the vectors wait in the ledger, and health reports them.
 */
function embeddingOf(tenantId: string): IndexActivities {
  return proxyActivities<IndexActivities>({
    priority: { fairnessKey: tenantId },
    taskQueue: QUEUES.embedding,
    startToCloseTimeout: '10 minutes',
    scheduleToCloseTimeout: '1 hour',
    heartbeatTimeout: '10 seconds',
    retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
  });
}

/** Indexes the requested vectors of a tenant's ledger, batch by batch. */
export async function index(input: IndexInput): Promise<void> {
  const embedding = embeddingOf(input.tenantId);
  let hinted = true;
  let signals = 0;
  setHandler(hint, () => {
    hinted = true;
    signals += 1;
  });
  let refusals = 0;
  for (
    let batches = 0;
    batches < MAX_BATCHES && signals < MAX_SIGNALS && !workflowInfo().continueAsNewSuggested;
    batches += 1
  ) {
    hinted = false;
    const result = await embedding.embedBatch(input).catch((error: unknown) => {
      if (error instanceof ActivityFailure) return null;
      throw error;
    });
    if (result === null) {
      await sleep(UNAVAILABLE_WAIT_MS);
      continue;
    }
    if (result.refused > 0 && result.indexed === 0) {
      refusals += 1;
      await sleep(Math.min(FIRST_WAIT_MS * 2 ** refusals, MAX_WAIT_MS));
    } else {
      refusals = 0;
    }
    if (result.more) continue;
    await condition(() => hinted, LINGER_MS);
    // A hint that comes together with the timer's end still counts.
    if (!hinted) return;
  }
  await continueAsNew<typeof index>(input);
}

const wake = defineSignal(WAKE_SIGNAL);
const progress = defineQuery<ReindexView>(PROGRESS_QUERY);

/** Steps of one run of `reindex`, eight events each. */
const MAX_STEPS = 60;

/**
 * A step processes a ledger, or removes an index, for minutes, with heartbeats; a retry resumes at the position in the tables. It is
 * retried without limit: no caller waits for it, and search continues with the old index.
 */
const stepping = proxyActivities<ReindexActivities>({
  ...STEP,
  startToCloseTimeout: '1 hour',
  scheduleToCloseTimeout: '365 days',
});

/** Moves a tenant from the served index to the target index: fills the ledger, waits for the index workflow to embed, switches, and removes the old index. */
export async function reindex(input: IndexInput): Promise<void> {
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
