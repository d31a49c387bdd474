import { z } from 'zod';
import type { CitedText } from '../domain/ports/model.ts';
import type { StoredSummary } from '../stores/postgres/summaries/derived.ts';
import { parseCited, parseEvidence } from '../stores/postgres/summaries/summaries.ts';
import { citedTextSchema, evidenceSchema } from './shared.ts';

export const SUMMARY_TYPES = ['session', 'topic', 'action', 'item'] as const;

export const summarySchema = z
  .object({
    id: z.string(),
    session_id: z.string(),
    type: z.enum(SUMMARY_TYPES),
    kind: z.string().nullable(),
    title: z.string(),
    content: z.string(),
    request: z.string().nullable(),
    investigated: z.string().nullable(),
    learned: z.string().nullable(),
    completed: z.string().nullable(),
    next_steps: z.string().nullable(),
    notes: z.string().nullable(),
    key_points: z.array(citedTextSchema),
    action_items: z.array(citedTextSchema),
    evidence: z.array(evidenceSchema),
    tags: z.array(z.string()),
    files_read: z.array(z.string()),
    files_modified: z.array(z.string()),
    model: z.string(),
    input_tokens: z.number().int(),
    output_tokens: z.number().int(),
    cost_usd: z.number(),
    version: z.number().int(),
    published: z.boolean(),
    from_seq: z.number().int(),
    to_seq: z.number().int(),
    occurred_at: z.string(),
    created_at: z.string(),
  })
  .meta({ id: 'Summary' });

function evidenceOf(pieces: CitedText['evidence'], mayQuote: boolean) {
  return pieces.map((piece) => ({ row_id: piece.rowId, quote: mayQuote ? piece.quote : null }));
}

function citedOf(value: unknown, mayQuote: boolean) {
  return parseCited(value).map((cited) => ({ text: cited.text, evidence: evidenceOf(cited.evidence, mayQuote) }));
}

/** A summary as `viewerId` reads it: quotes of another user's rows are withheld; undefined: an admin, who reads all. */
export function presentSummary(row: StoredSummary, viewerId: string | undefined): z.input<typeof summarySchema> {
  const mayQuote = viewerId === undefined || viewerId === row.userId;
  return {
    id: row.id,
    session_id: row.sessionId,
    type: summarySchema.shape.type.parse(row.type),
    kind: row.kind,
    title: row.title,
    content: row.content,
    request: row.request,
    investigated: row.investigated,
    learned: row.learned,
    completed: row.completed,
    next_steps: row.nextSteps,
    notes: row.notes,
    key_points: citedOf(row.keyPoints, mayQuote),
    action_items: citedOf(row.actionItems, mayQuote),
    evidence: evidenceOf(parseEvidence(row.evidence), mayQuote),
    tags: row.tags,
    files_read: row.filesRead,
    files_modified: row.filesModified,
    model: row.model,
    input_tokens: row.inputTokens,
    output_tokens: row.outputTokens,
    cost_usd: row.costUsd.toNumber(),
    version: row.version,
    published: row.published,
    from_seq: row.fromSeq,
    to_seq: row.toSeq,
    occurred_at: row.occurredAt.toISOString(),
    created_at: row.createdAt.toISOString(),
  };
}
