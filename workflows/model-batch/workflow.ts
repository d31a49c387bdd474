import {
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  getExternalWorkflowHandle,
  isCancellation,
  proxyActivities,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { modelCalls } from '../activity-options.ts';
import { failureReason, MAX_PROVIDER_WAIT_MS, providerWait } from '../failures.ts';
import { ATTRIBUTES, workflowIdOf } from '../registry.ts';
import { SUMMARISED_SIGNAL } from '../session/types.ts';
import { BATCH_STATE_QUERY, SKIP_WAIT_SIGNAL } from './types.ts';
import type { ModelBatchActivities, ModelBatchInput, ModelBatchState, ModelBatchView } from './types.ts';

const skipWait = defineSignal(SKIP_WAIT_SIGNAL);
const stateQuery = defineQuery<ModelBatchView>(BATCH_STATE_QUERY);

/** Polls of one run, each at most about ten events. */
const MAX_POLLS = 40;
/** Concurrent signals to sessions: each is one command and one event. */
const SIGNALS_AT_ONCE = 50;

/**
 * Sending counts the tokens of up to thousands of calls and collecting writes as many results: minutes, with heartbeats, and an attempt continues
 * an interrupted one.
 */
function batchesOf(tenantId: string): ModelBatchActivities {
  return proxyActivities<ModelBatchActivities>({
    ...modelCalls(tenantId),
    startToCloseTimeout: '30 minutes',
    scheduleToCloseTimeout: '1 hour',
  });
}

/** One run of a batch: what it knows, and its waits. */
class BatchRun {
  view: ModelBatchView = { phase: 'gathering', calls: 0, processing: 0, looks: 0, waiting: null };
  hurried = false;
  private readonly input: ModelBatchInput;

  constructor(input: ModelBatchInput) {
    this.input = input;
    this.view = { ...this.view, calls: input.state?.calls ?? 0, looks: input.state?.looks ?? 0 };
  }

  show(change: Partial<ModelBatchView>): void {
    this.view = { ...this.view, ...change };
    upsertSearchAttributes([
      { key: ATTRIBUTES.phase, value: this.view.phase },
      { key: ATTRIBUTES.waiting, value: this.view.waiting?.reason ?? null },
    ]);
  }

  /** Waits for `ms`, or until the skipWait signal. */
  async pause(ms: number): Promise<void> {
    await condition(() => this.hurried, ms);
    this.hurried = false;
  }

  /**
   * Runs a step, and waits without limit while the provider is unavailable. Waits for permanent failures, too: a setting can replace a
   * rejected key, and windows are never dropped.
   */
  async withProvider<Result>(step: () => Promise<Result>): Promise<Result> {
    for (let failures = 0; ; failures += 1) {
      try {
        const result = await step();
        if (this.view.waiting !== null) this.show({ waiting: null });
        return result;
      } catch (error) {
        if (isCancellation(error)) throw error;
        const wait = providerWait(error, failures, this.input.policy.retryMs) ?? {
          reason: failureReason(error),
          delayMs: MAX_PROVIDER_WAIT_MS,
        };
        this.show({ waiting: { reason: wait.reason, untilMs: Date.now() + wait.delayMs } });
        await this.pause(wait.delayMs);
      }
    }
  }
}

/**
 * One provider batch of a tenant's windows: gathers windows of many sessions, sends them, polls the batch until it has ended, and writes
 * the results. Carries only ids and counts; `model_batch_calls` lists the windows.
 */
export async function modelBatch(input: ModelBatchInput): Promise<void> {
  const ref = { tenantId: input.tenantId, batchId: input.batchId };
  const provider = batchesOf(input.tenantId);
  try {
    await carryOut(input, provider);
  } catch (error) {
    // Ending a batch does not end its windows: they are pending again, for another batch.
    if (isCancellation(error)) {
      await CancellationScope.nonCancellable(async () => {
        const { sessionIds } = await provider.releaseBatch(ref);
        await notify(input.tenantId, sessionIds);
      });
    }
    throw error;
  }
}

async function carryOut(input: ModelBatchInput, provider: ModelBatchActivities): Promise<void> {
  const run = new BatchRun(input);
  setHandler(skipWait, () => {
    run.hurried = true;
  });
  setHandler(stateQuery, () => run.view);
  const { tenantId, batchId, policy } = input;
  const ref = { tenantId, batchId };
  let step: ModelBatchState['step'] = input.state?.step ?? 'submit';

  if (step === 'submit') {
    if (input.state === undefined) {
      run.show({ phase: 'gathering' });
      await run.pause(policy.gatherMs);
    }
    run.show({ phase: 'submitting' });
    const { calls, sessionIds } = await run.withProvider(() => provider.submitBatch(ref));
    await notify(tenantId, sessionIds);
    if (calls === 0) return run.show({ phase: 'completed' });
    run.show({ phase: 'waiting', calls, processing: calls });
    step = 'poll';
  }

  if (step === 'poll') {
    for (let looks = 0; ; looks += 1) {
      await run.pause(Math.min(policy.pollMs * 2 ** Math.min(run.view.looks, 10), MAX_PROVIDER_WAIT_MS));
      const { ended, processing } = await run.withProvider(() => provider.pollBatch(ref));
      run.show({ processing, looks: run.view.looks + 1 });
      if (ended) break;
      if (looks >= MAX_POLLS || workflowInfo().continueAsNewSuggested)
        await continueAsNew<typeof modelBatch>({
          ...input,
          state: { step: 'poll', calls: run.view.calls, looks: run.view.looks },
        });
    }
  }

  run.show({ phase: 'collecting' });
  const { sessionIds } = await run.withProvider(() => provider.collectBatch(ref));
  await notify(tenantId, sessionIds);
  run.show({ phase: 'completed' });
}

/** Signals sessions whose windows are completed or pending again. An ended session ignores it; its next run reads the tables. */
async function notify(tenantId: string, sessionIds: readonly string[]): Promise<void> {
  for (let from = 0; from < sessionIds.length; from += SIGNALS_AT_ONCE) {
    await Promise.all(
      sessionIds.slice(from, from + SIGNALS_AT_ONCE).map((sessionId) =>
        getExternalWorkflowHandle(workflowIdOf('session', tenantId, sessionId))
          .signal(SUMMARISED_SIGNAL)
          .catch(() => undefined),
      ),
    );
  }
}
