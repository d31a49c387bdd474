import { groundTopic } from '../../domain/grounding.ts';
import { asId } from '../../domain/ids.ts';
import type { KnownLearning, ModelUsage, TopicSummaryDraft, WindowInput } from '../../domain/ports/model.ts';
import type { TenantTransaction } from '../../stores/postgres/connection/database.ts';
import type { EmbeddingModel } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import { projectGlossary } from '../../stores/postgres/graph/glossary.ts';
import { precedingRequest, readRows } from '../../stores/postgres/sessions/session-rows.ts';
import { readSessionFacts } from '../../stores/postgres/sessions/session-state.ts';
import type { SessionFacts } from '../../stores/postgres/sessions/session-state.ts';
import { writeTopic } from '../../stores/postgres/summaries/summaries.ts';
import type { StoredWindow } from '../../stores/postgres/sessions/windows.ts';
import type { SessionRef } from '../../workflows/session/types.ts';
import type { NearOptions } from '../model-calls/answer-cache.ts';
import { contextOf, traceOf, requestSummaryVectors } from './summary-parts.ts';

/** A window as a model is given it, and whose it is. */
export interface ReadWindow {
  readonly facts: SessionFacts;
  readonly input: WindowInput;
}

/** Reads a window by its range; what the project knows is for the caller to add. */
export async function readWindow(
  transaction: TenantTransaction,
  ref: SessionRef,
  window: StoredWindow,
  nowMs: number,
): Promise<ReadWindow> {
  const facts = await readSessionFacts(transaction, ref.sessionId);
  const rows = await readRows(transaction, {
    sessionId: ref.sessionId,
    fromSeq: window.fromSeq,
    toSeq: window.toSeq,
  });
  const preceding = await precedingRequest(transaction, ref.sessionId, window.fromSeq);
  const glossary = await projectGlossary(transaction, asId(ref.tenantId), facts, nowMs);
  const known: readonly KnownLearning[] = [];
  return { facts, input: { projectName: facts.projectName, glossary, precedingRequest: preceding, known, rows } };
}

/** When a nearly identical window's answer may be taken: if all that it claims stands in these rows. */
export function nearWindow(input: WindowInput): NearOptions<TopicSummaryDraft> {
  return { rows: input.rows, stands: (topic) => groundTopic(topic, input.rows).dropped === 0 };
}

/**
 * Writes what a model said of a window, under the window's slots: claims that no row says are dropped and counted, vectors are asked for.
 * The caller has claimed the window in the same transaction.
 */
export async function writeWindow(
  transaction: TenantTransaction,
  embeddingModel: EmbeddingModel,
  ref: SessionRef,
  window: StoredWindow,
  { facts, input }: ReadWindow,
  answered: { readonly output: TopicSummaryDraft; readonly usage: readonly ModelUsage[] },
): Promise<void> {
  const { kept, dropped } = groundTopic(answered.output, input.rows);
  const context = contextOf(ref, facts, traceOf(input.rows), { usage: answered.usage, claimsDropped: dropped }, window);
  const written = await writeTopic(transaction, context, window.n, kept);
  await requestSummaryVectors(transaction, embeddingModel, ref, written);
}
