import { chunkText } from '../../domain/chunking.ts';
import { asId } from '../../domain/ids.ts';
import type { ModelUsage, SourceRow } from '../../domain/ports/model.ts';
import type { TenantTransaction } from '../../stores/postgres/connection/database.ts';
import { requestEmbeddings } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import type { EmbeddingModel } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import type { SessionTrace } from '../../stores/postgres/sessions/session-rows.ts';
import type { SessionFacts } from '../../stores/postgres/sessions/session-state.ts';
import type { SummaryContext, WrittenSummary } from '../../stores/postgres/summaries/summaries.ts';
import { sumUsage } from '../../stores/postgres/usage/usage-ledger.ts';
import type { SessionRef } from '../../workflows/session/types.ts';

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

/** Files and time of one window's rows. */
export function traceOf(rows: readonly SourceRow[]): SessionTrace {
  return {
    filesRead: unique(rows.flatMap((row) => row.filesRead)),
    filesModified: unique(rows.flatMap((row) => row.filesModified)),
    lastOccurredAt: new Date(rows.at(-1)?.occurredAt ?? Date.now()),
  };
}

/** What a model's answer came to: calls in order, and its claims that no row says. */
export interface Answered {
  readonly usage: readonly ModelUsage[];
  readonly claimsDropped: number;
}

/** Whose a summary is, what it covers and what it cost. Files come from what tools touched, never from the model. */
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

/** Asks for the vectors of summaries that were just written. */
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
