import { z } from 'zod';
import { LEARNING_CATEGORIES } from '../../domain/ports/model.ts';
import type { CitedText } from '../../domain/ports/model.ts';
import type { StoredLearning, StoredSummary } from '../../stores/postgres/derived.ts';
import { parseCited, parseEvidence } from '../../stores/postgres/summaries.ts';
import { citedTextSchema, evidenceSchema } from './shared.ts';

export const summarySchema = z
  .object({
    id: z.string(),
    session_id: z.string(),
    type: z.enum(['session', 'topic', 'action', 'item']),
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
    tokens_in: z.number().int(),
    tokens_out: z.number().int(),
    cost_usd: z.number(),
    version: z.number().int(),
    published: z.boolean(),
    from_seq: z.number().int(),
    to_seq: z.number().int(),
    occurred_at: z.string(),
    created_at: z.string(),
  })
  .meta({ id: 'Summary' });

export const learningSchema = z
  .object({
    id: z.string(),
    session_id: z.string().nullable(),
    project: z.object({ id: z.string(), name: z.string() }).nullable(),
    category: z.enum(LEARNING_CATEGORIES),
    title: z.string(),
    description: z.string(),
    context: z.string(),
    examples: z.array(z.string()),
    tags: z.array(z.string()),
    confidence: z.number(),
    use_count: z.number().int(),
    verified: z.boolean(),
    valid_from: z.string(),
    valid_to: z.string().nullable(),
    superseded_by: z.string().nullable(),
    reason: z.string().nullable(),
    evidence: z.array(z.object({ session_id: z.string(), row_id: z.string(), quote: z.string(), weight: z.number() })),
    created_at: z.string(),
  })
  .meta({ id: 'Learning' });

function evidenceOf(pieces: CitedText['evidence']) {
  return pieces.map((piece) => ({ row_id: piece.rowId, quote: piece.quote }));
}

function citedOf(value: unknown) {
  return parseCited(value).map((cited) => ({ text: cited.text, evidence: evidenceOf(cited.evidence) }));
}

export function presentSummary(row: StoredSummary): z.input<typeof summarySchema> {
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
    key_points: citedOf(row.keyPoints),
    action_items: citedOf(row.actionItems),
    evidence: evidenceOf(parseEvidence(row.evidence)),
    tags: row.tags,
    files_read: row.filesRead,
    files_modified: row.filesModified,
    model: row.model,
    tokens_in: row.tokensIn,
    tokens_out: row.tokensOut,
    cost_usd: row.costUsd.toNumber(),
    version: row.version,
    published: row.published,
    from_seq: row.fromSeq,
    to_seq: row.toSeq,
    occurred_at: row.occurredAt.toISOString(),
    created_at: row.createdAt.toISOString(),
  };
}

export function presentLearning(row: StoredLearning): z.input<typeof learningSchema> {
  return {
    id: row.id,
    session_id: row.sessionId,
    project: row.project === null ? null : { id: row.project.id, name: row.project.displayName },
    category: learningSchema.shape.category.parse(row.category),
    title: row.title,
    description: row.description,
    context: row.context,
    examples: z.array(z.string()).parse(row.examples),
    tags: row.tags,
    confidence: row.confidence,
    use_count: row.useCount,
    verified: row.verifiedAt !== null,
    valid_from: row.validFrom.toISOString(),
    valid_to: row.validTo?.toISOString() ?? null,
    superseded_by: row.supersededBy,
    reason: row.reason,
    evidence: row.evidence.map((piece) => ({
      session_id: piece.sessionId,
      row_id: piece.rowId,
      quote: piece.quote,
      weight: piece.weight,
    })),
    created_at: row.createdAt.toISOString(),
  };
}
