import { CLASS_RULES } from '../../domain/data-classes.ts';
import { groundTopic } from '../../domain/grounding.ts';
import { asId } from '../../domain/ids.ts';
import type { KnownLearning, ModelUsage, TopicSummaryDraft, WindowInput, SourceRow } from '../../domain/ports/model.ts';
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
import { chunkText } from '../../domain/chunking.ts';
import { requestEmbeddings } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import type { SessionTrace } from '../../stores/postgres/sessions/session-rows.ts';
import type { SummaryContext, WrittenSummary } from '../../stores/postgres/summaries/summaries.ts';
import { sumUsage } from '../../stores/postgres/usage/usage-ledger.ts';

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

/** Returns the time of a window's rows, and the files of those that may be summarised. */
export function traceOf(rows: readonly SourceRow[]): SessionTrace {
  const shared = rows.filter(({ dataClass }) => CLASS_RULES[dataClass].isSummarised);
  return {
    filesRead: unique(shared.flatMap((row) => row.filesRead)),
    filesModified: unique(shared.flatMap((row) => row.filesModified)),
    lastOccurredAt: new Date(rows.at(-1)?.occurredAt ?? Date.now()),
  };
}

/** Usage of the calls in order, and the number of dropped claims. */
export interface Answered {
  readonly usage: readonly ModelUsage[];
  readonly claimsDropped: number;
}

/** Returns the owner, range and cost of a summary. Files come from tools, never from the model. */
export function contextOf(
  ref: SessionRef,
  facts: SessionFacts,
  trace: SessionTrace,
  { usage, claimsDropped }: Answered,
  range: { readonly fromSeq: number; readonly toSeq: number },
): SummaryContext {
  return {
    tenantId: asId(ref.tenantId),
    sessionId: ref.sessionId,
    projectId: facts.projectId,
    userId: facts.userId,
    model: usage.at(-1)?.model ?? '',
    ...sumUsage(usage),
    claimsDropped,
    fromSeq: range.fromSeq,
    toSeq: range.toSeq,
    occurredAt: trace.lastOccurredAt,
    filesRead: trace.filesRead,
    filesModified: trace.filesModified,
  };
}

/** Requests the vectors of new summaries. */
export function requestSummaryVectors(
  transaction: TenantTransaction,
  model: EmbeddingModel,
  ref: SessionRef,
  written: readonly WrittenSummary[],
): Promise<number> {
  return requestEmbeddings(
    transaction,
    asId(ref.tenantId),
    model,
    written.map((summary) => ({
      type: 'summary',
      id: summary.id,
      sessionId: ref.sessionId,
      chunks: chunkText(summary.title, summary.content),
    })),
  );
}

/** A window's model request and its session. */
export interface ReadWindow {
  readonly facts: SessionFacts;
  readonly input: WindowInput;
}

/** Reads a window's rows; the caller adds known learnings. */
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

/** Accepts the response to a nearly identical window if these rows support all its claims. */
export function nearWindow(input: WindowInput): NearOptions<TopicSummaryDraft> {
  return { rows: input.rows, isSupported: (topic) => groundTopic(topic, input.rows).dropped === 0 };
}

/**
 * Writes the summary of a window under its slots: claims without evidence are dropped and counted, vectors requested. The caller has claimed
 * the window in the same transaction.
 */
export async function writeWindow(
  transaction: TenantTransaction,
  embeddingModel: EmbeddingModel,
  ref: SessionRef,
  window: StoredWindow,
  { facts, input }: ReadWindow,
  answered: { readonly output: TopicSummaryDraft; readonly usage: readonly ModelUsage[] },
): Promise<void> {
  const { supported, dropped } = groundTopic(answered.output, input.rows);
  const context = contextOf(ref, facts, traceOf(input.rows), { usage: answered.usage, claimsDropped: dropped }, window);
  const written = await writeTopic(transaction, context, window.n, supported);
  await requestSummaryVectors(transaction, embeddingModel, ref, written);
}
