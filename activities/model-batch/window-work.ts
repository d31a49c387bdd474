import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { ModelUsage, TopicSummaryDraft, ModelPort } from '../../domain/ports/model.ts';
import type { TenantTransaction, Database } from '../../stores/postgres/connection/database.ts';
import { NO_TRACER } from '../../domain/ports/tracer.ts';
import { marksOfRange } from '../../stores/postgres/traces/trace-marks.ts';
import { refuseForgotten } from '../../stores/postgres/erasure/forgotten.ts';
import type { UsageOwner } from '../../stores/postgres/usage/usage-ledger.ts';
import { findWindow } from '../../stores/postgres/sessions/windows.ts';
import type { FoundWindow } from '../../stores/postgres/sessions/windows.ts';
import type { SessionRef } from '../../workflows/session/types.ts';
import type { NearOptions } from '../model-calls/answer-cache.ts';
import { nearWindow, readWindow, writeWindow } from '../summarise/write-summary.ts';
import type { ReadWindow } from '../summarise/write-summary.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import type { EmbeddingModel } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import type { ModelCallDependencies } from '../model-call.ts';

/** Dependencies of the steps of a provider batch. */
export interface BatchDependencies {
  readonly database: Database;
  /** The model whose provider has batches; without one, existing batches wait. */
  readonly model: ModelPort;
  readonly modelCalls: ModelCallDependencies;
  readonly embeddingModel: EmbeddingModel;
  readonly hints: WorkflowHints;
  readonly clock: Clock;
}

/** Claims a window in the transaction that writes its summary; returns false if it is completed or no longer exists. */
export type ClaimWindow = (transaction: TenantTransaction) => Promise<boolean>;

/** A window of a batch with its model request. */
export interface WindowWork extends ReadWindow {
  readonly ref: SessionRef;
  readonly window: FoundWindow;
  readonly owner: UsageOwner;
  readonly near: NearOptions<TopicSummaryDraft>;
}

/** Reads a batched window; null if it is not batched or its session no longer exists. */
export async function readWindowWork(
  { database, clock }: BatchDependencies,
  ref: SessionRef,
  windowN: number,
): Promise<WindowWork | null> {
  const tenantId = asId<TenantId>(ref.tenantId);
  return database.asTenant(tenantId, async (transaction) => {
    const window = await findWindow(transaction, ref.sessionId, windowN);
    if (window?.state !== 'batched') return null;
    const read = await readWindow(transaction, ref, window, clock.now());
    const { userId } = read.facts;
    const owner = { tenantId, userId, sessionId: ref.sessionId, operation: 'summarise_window' } as const;
    return { ...read, ref, window, owner, near: nearWindow(read.input) };
  });
}

/** Writes the summary of a window; returns false if it cannot be claimed. */
export function writeWindowTopic(
  { database, embeddingModel, modelCalls }: BatchDependencies,
  work: WindowWork,
  output: TopicSummaryDraft,
  usage: readonly ModelUsage[],
  claim: ClaimWindow,
): Promise<boolean> {
  const { ref, window, facts } = work;
  const { tracer = NO_TRACER } = modelCalls;
  const tenantId = asId<TenantId>(ref.tenantId);
  return tracer.unit(
    'summarise',
    () => marksOfRange(database, tenantId, ref.sessionId, window),
    () =>
      database.asTenant(tenantId, async (transaction) => {
        await refuseForgotten(transaction, ref.sessionId, facts.forgotten);
        if (!(await claim(transaction))) return false;
        await writeWindow(transaction, embeddingModel, ref, window, work, { output, usage });
        return true;
      }),
    { 'recollect.session_id': ref.sessionId, 'recollect.window': window.n, 'recollect.batched': true },
  );
}
