import { BudgetExhausted, ModelBusy } from '../../domain/costs/limits.ts';
import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import { ModelError } from '../../domain/ports/model.ts';
import type { BatchOutcome, ModelBatches, Reading, TopicSummaryDraft } from '../../domain/ports/model.ts';
import {
  batchSessions,
  finishCall,
  markEnded,
  readAssigned,
  readBatch,
} from '../../stores/postgres/usage/model-batches.ts';
import type { AssignedCall } from '../../stores/postgres/usage/model-batches.ts';
import type { BatchRef, CollectResult } from '../../workflows/model-batch/types.ts';
import { isPermanent, parkedReason } from '../failures.ts';
import { callModel } from '../model-call.ts';
import type { ModelTask } from '../model-call.ts';
import { readWindowWork, writeWindowTopic } from './window-work.ts';
import type { WindowWork, BatchDependencies } from './window-work.ts';
import { customIdOf } from './submit.ts';
import { bookBatched, claimOf } from './window-answers.ts';
import { reportProgress } from '../heartbeat.ts';

type Answered = Extract<BatchOutcome, { kind: 'answered' }>;
type Done = 'summarised' | 'parked' | 'requeued';

/**
 * Writes the results of an ended batch, call by call; a repeated attempt skips what is written. Expired, cancelled, transiently failed and
 * missing calls are queued again. @throws ModelError if the provider is unavailable
 */
export async function collectBatch(
  dependencies: BatchDependencies,
  batches: ModelBatches,
  ref: BatchRef,
  signal: AbortSignal,
): Promise<CollectResult> {
  const { database } = dependencies;
  const tenantId = asId<TenantId>(ref.tenantId);
  const { batch, assigned } = await database.asTenant(tenantId, async (transaction) => ({
    batch: await readBatch(transaction, ref.batchId),
    assigned: await readAssigned(transaction, ref.batchId),
  }));
  const counts = { summarised: 0, parked: 0, requeued: 0 };
  if (batch === null) return { sessionIds: [], ...counts };
  const left = new Map(assigned.map((call) => [customIdOf(call), call]));
  if (batch.state !== 'ended' && batch.providerBatchId !== null) {
    for await (const outcome of batches.results(batch.providerBatchId, signal)) {
      reportProgress(signal);
      const call = left.get(outcome.customId);
      if (call === undefined) continue;
      counts[await write(dependencies, ref, call, outcome, signal)] += 1;
      left.delete(outcome.customId);
    }
  }
  for (const call of left.values()) counts[await endCall(dependencies, ref, call, 'requeued')] += 1;
  const sessionIds = await database.asTenant(tenantId, async (transaction) => {
    await markEnded(transaction, ref.batchId);
    return batchSessions(transaction, ref.batchId, 'all');
  });
  return { sessionIds, ...counts };
}

/** Ends a call without a response and releases its reservation. */
async function endCall(
  { database }: BatchDependencies,
  ref: BatchRef,
  call: AssignedCall,
  state: 'parked' | 'requeued',
  reason: string | null = null,
): Promise<Done> {
  await database.asTenant(asId(ref.tenantId), (transaction) =>
    finishCall(transaction, ref.batchId, call, state, reason),
  );
  return state;
}

/** Queues every window of a batch again and ends the batch. */
export async function abandonBatch(dependencies: BatchDependencies, ref: BatchRef): Promise<readonly string[]> {
  return dependencies.database.asTenant(asId(ref.tenantId), async (transaction) => {
    for (const call of await readAssigned(transaction, ref.batchId))
      await finishCall(transaction, ref.batchId, call, 'requeued');
    await markEnded(transaction, ref.batchId);
    return batchSessions(transaction, ref.batchId, 'all');
  });
}

async function write(
  dependencies: BatchDependencies,
  ref: BatchRef,
  call: AssignedCall,
  outcome: BatchOutcome,
  signal: AbortSignal,
): Promise<Done> {
  if (outcome.kind === 'failed') {
    const error = new ModelError(outcome.error, 'the call failed in its batch');
    return isPermanent(error)
      ? endCall(dependencies, ref, call, 'parked', parkedReason(error))
      : endCall(dependencies, ref, call, 'requeued');
  }
  if (outcome.kind !== 'answered') return endCall(dependencies, ref, call, 'requeued');
  const tenantId = asId<TenantId>(ref.tenantId);
  const work = await readWindowWork(dependencies, { tenantId, sessionId: call.sessionId }, call.windowN);
  if (work !== null && work.facts.forgotten === call.forgotten)
    return writeAnswer(dependencies, ref, call, work, outcome, signal);
  // Part of it was forgotten meanwhile, and the response may contain that. Its cost is recorded.
  await bookBatched(dependencies, ref.batchId, call, outcome.usage, null);
  return endCall(dependencies, ref, call, 'requeued');
}

async function writeAnswer(
  dependencies: BatchDependencies,
  ref: BatchRef,
  call: AssignedCall,
  work: WindowWork,
  answer: Answered,
  signal: AbortSignal,
): Promise<Done> {
  const { model, modelCalls } = dependencies;
  const { owner } = work;
  const claim = claimOf(ref.batchId, call);
  try {
    const question = model.windowRequest(work.input);
    const reading = answer.stopped === null ? question.read(answer.text) : stoppedReading(answer.stopped);
    const cached = reading.ok ? { question, text: answer.text, work } : null;
    await bookBatched(dependencies, ref.batchId, call, answer.usage, cached);
    if (reading.ok) {
      const isWritten = await writeWindowTopic(dependencies, work, reading.output, [answer.usage], claim);
      return isWritten ? 'summarised' : 'requeued';
    }
    const first = await model.prepareWindow(work.input, signal);
    const repair = await first.repair(answer.text, reading.problem, signal);
    const task: ModelTask<TopicSummaryDraft> = {
      prepare: async (port) => (port === model ? repair : port.prepareWindow(work.input, signal)),
      forgotten: work.facts.forgotten,
    };
    const { output, usage } = await callModel(modelCalls, owner, [model], task, signal);
    const isWritten = await writeWindowTopic(dependencies, work, output, [answer.usage, ...usage], claim);
    return isWritten ? 'summarised' : 'requeued';
  } catch (error) {
    // One user's exhausted budget must not block the results of others.
    if (error instanceof BudgetExhausted || error instanceof ModelBusy)
      return endCall(dependencies, ref, call, 'requeued');
    if (!(error instanceof ModelError) || !isPermanent(error)) throw error;
    return endCall(dependencies, ref, call, 'parked', parkedReason(error));
  }
}

function stoppedReading(kind: 'refused' | 'truncated'): Extract<Reading<TopicSummaryDraft>, { ok: false }> {
  return { ok: false, kind, problem: kind, where: kind };
}
