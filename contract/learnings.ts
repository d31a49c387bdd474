import { z } from 'zod';
import { LEARNING_CATEGORIES } from '../domain/ports/model.ts';
import type { LearningVersion, StoredLearning } from '../stores/postgres/learnings/learning-list.ts';
import { namespaceName, tagList } from './shared.ts';
import { line, text } from './text.ts';

export const learningSchema = z
  .object({
    id: z.string(),
    session_id: z.string().nullable(),
    project: z.object({ id: z.string(), name: z.string() }).nullable(),
    namespace: z.string(),
    category: z.enum(LEARNING_CATEGORIES),
    title: z.string(),
    description: z.string(),
    context: z.string(),
    examples: z.array(z.string()),
    tags: z.array(z.string()),
    confidence: z.number(),
    origin: z.enum(['extracted', 'user']).describe('user: said by hand'),
    use_count: z.number().int().describe('How often it proved useful'),
    use_weight: z.number().describe('The same, decayed by time'),
    last_used_at: z.string().nullable(),
    verified: z.boolean(),
    verified_by: z.string().nullable(),
    verified_at: z.string().nullable(),
    verify_note: z.string().nullable(),
    version: z.number().int(),
    previous_id: z.string().nullable().describe('The version that it replaced'),
    valid_from: z.string(),
    valid_to: z.string().nullable(),
    superseded_by: z.string().nullable(),
    reason: z.string().nullable().describe('Why it was closed'),
    closed_by: z.string().nullable().describe('The person who closed it'),
    disputes: z
      .string()
      .nullable()
      .describe('The learning that it speaks against, which somebody verified, or which another user made'),
    evidence: z.array(
      z.object({
        session_id: z.string(),
        row_id: z.string(),
        quote: z.string().nullable().describe("Null for another user's prompts and observations"),
        weight: z.number(),
      }),
    ),
    created_at: z.string(),
  })
  .meta({ id: 'Learning' });

export const learningDetail = learningSchema
  .extend({
    versions: z
      .array(
        z.object({
          id: z.string(),
          version: z.number().int(),
          title: z.string(),
          description: z.string(),
          valid_from: z.string(),
          valid_to: z.string().nullable(),
          reason: z.string().nullable(),
        }),
      )
      .describe('All of them, the oldest first'),
  })
  .meta({ id: 'LearningDetail' });

const words = {
  category: z.enum(LEARNING_CATEGORIES),
  title: line(200),
  description: line(4_000),
  context: text(2_000, 0).trim(),
  examples: z.array(line(2_000)).max(20),
  tags: tagList,
};

export const evidenceInput = z.strictObject({
  row_id: z.uuid().describe('Of a prompt or an observation'),
  quote: text(2_000).describe('As it stands there, letter for letter'),
});

/** Knowledge given by hand. */
export const learningInput = z.strictObject({
  ...words,
  category: words.category.default('general'),
  context: words.context.default(''),
  examples: words.examples.default([]),
  tags: words.tags.default([]),
  project: text(2048).optional().describe('Id, git remote, root path or name of one that is known'),
  namespace: namespaceName.default('default'),
  confidence: z.number().min(0.05).max(1).default(0.8),
  evidence: z.array(evidenceInput).max(50).default([]),
});

/** Other words for a learning: at least one field. */
export const learningCorrection = z
  .strictObject(words)
  .partial()
  .refine((body) => Object.keys(body).length > 0, {
    path: ['description'],
    message: 'or another field is needed',
  })
  .meta({ minProperties: 1 });

export const reasonText = line(500);

export function presentLearning(row: StoredLearning): z.input<typeof learningSchema> {
  return {
    id: row.id,
    session_id: row.sessionId,
    project: row.project === null ? null : { id: row.project.id, name: row.project.displayName },
    namespace: row.namespace,
    category: learningSchema.shape.category.parse(row.category),
    title: row.title,
    description: row.description,
    context: row.context,
    examples: z.array(z.string()).parse(row.examples),
    tags: row.tags,
    confidence: row.confidence,
    origin: learningSchema.shape.origin.parse(row.origin),
    use_count: row.useCount,
    use_weight: row.useWeight,
    last_used_at: row.lastUsedAt?.toISOString() ?? null,
    verified: row.verifiedAt !== null,
    verified_by: row.verifiedBy,
    verified_at: row.verifiedAt?.toISOString() ?? null,
    verify_note: row.verifyNote,
    version: row.version,
    previous_id: row.previousId,
    valid_from: row.validFrom.toISOString(),
    valid_to: row.validTo?.toISOString() ?? null,
    superseded_by: row.supersededBy,
    reason: row.reason,
    closed_by: row.closedBy,
    disputes: row.disputes,
    evidence: row.evidence.map((piece) => ({
      session_id: piece.sessionId,
      row_id: piece.rowId,
      quote: piece.quote,
      weight: piece.weight,
    })),
    created_at: row.createdAt.toISOString(),
  };
}

export function presentVersions(versions: readonly LearningVersion[]): z.input<typeof learningDetail>['versions'] {
  return versions.map((version) => ({
    id: version.id,
    version: version.version,
    title: version.title,
    description: version.description,
    valid_from: version.validFrom.toISOString(),
    valid_to: version.validTo?.toISOString() ?? null,
    reason: version.reason,
  }));
}
