import { z } from 'zod';
import { VISIBILITIES } from '../domain/learning/visibility.ts';
import { LEARNING_CATEGORIES } from '../domain/ports/model.ts';
import { cursorQuery, errorSchema, namespaceName, pageQuery, tagList, timestamp } from './shared.ts';
import { line, text } from './text.ts';
import { memoryName } from './memory.ts';
import { flag } from './query.ts';
import { LEARNING_SORTS } from '../domain/search-names.ts';

export const learningSchema = z
  .object({
    id: z.string(),
    hash: z.string().describe('Eight characters derived from the id'),
    session_id: z.string().nullable(),
    user_id: z.string().describe('Id of the owner, who may change the learning, as admins may'),
    project: z.object({ id: z.string(), name: z.string() }).nullable(),
    namespace: z.string(),
    category: z.enum(LEARNING_CATEGORIES),
    title: z.string(),
    description: z.string(),
    context: z.string(),
    examples: z.array(z.string()),
    tags: z.array(z.string()),
    confidence: z.number(),
    visibility: z.enum(VISIBILITIES).describe('shared: all users of the tenant read it; private: its owner and admins'),
    origin: z.enum(['extracted', 'user']).describe('extracted: found by a model; user: created by a user or agent'),
    use_count: z.number().int().describe('Number of times the learning proved useful'),
    use_weight: z.number().describe('Use count, decayed by time'),
    last_used_at: z.string().nullable(),
    verified: z.boolean(),
    verified_by: z.string().nullable(),
    verified_at: z.string().nullable(),
    verify_note: z.string().nullable(),
    version: z.number().int(),
    previous_id: z.string().nullable().describe('Id of the version that this one replaced'),
    valid_from: z.string(),
    valid_to: z.string().nullable(),
    superseded_by: z.string().nullable(),
    reason: z.string().nullable().describe('Reason of the closing'),
    closed_by: z.string().nullable().describe('Id of the user who closed the learning'),
    reopen_reason: z.string().nullable().describe('Reason of the user who reopened an earlier version as this one'),
    disputes: z
      .string()
      .nullable()
      .describe('Id of the contradicted learning, which is verified or belongs to another user'),
    evidence: z.array(
      z.object({
        session_id: z.string(),
        row_id: z.string(),
        quote: z.string().nullable().describe("Verbatim quote; null for another user's prompts and observations"),
        weight: z.number(),
      }),
    ),
    created_at: z.string(),
  })
  .meta({ id: 'Learning' });
export type Learning = z.output<typeof learningSchema>;

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
          reopen_reason: z.string().nullable(),
        }),
      )
      .describe('All versions, oldest first'),
  })
  .meta({ id: 'LearningDetail' });
export type LearningDetail = z.output<typeof learningDetail>;

const words = {
  category: z.enum(LEARNING_CATEGORIES),
  title: line(200),
  description: line(4_000),
  context: text(2_000, 0).trim(),
  examples: z.array(line(2_000)).max(20),
  tags: tagList,
};

export const evidenceInput = z.strictObject({
  row_id: z.uuid().describe('Id of a prompt or an observation'),
  quote: text(2_000).describe('Verbatim quote of the row'),
});

/** Knowledge given by hand. */
export const learningInput = z.strictObject({
  ...words,
  category: words.category.default('general'),
  context: words.context.default(''),
  examples: words.examples.default([]),
  tags: words.tags.default([]),
  project: text(2048).optional().describe('Id, git remote, root path or name of an existing project'),
  namespace: namespaceName.default('default'),
  confidence: z.number().min(0.05).max(1).default(0.8),
  evidence: z.array(evidenceInput).max(50).default([]),
  visibility: z.enum(VISIBILITIES).optional().describe('Default: the setting of the tenant'),
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

export const learningParams = z.object({ id: memoryName });

export const learningsQuery = z
  .strictObject({
    ...pageQuery,
    ...cursorQuery,
    session: text(512).optional().describe('Id, or host:external id, of a session with evidence'),
    project: text(2048).optional(),
    namespace: namespaceName.optional(),
    category: z.enum(LEARNING_CATEGORIES).optional(),
    tag: text(64).optional(),
    verified: flag().optional(),
    visibility: z.enum(VISIBILITIES).optional(),
    q: line(500).optional().describe('Words to find in the title or the description'),
    as_of: timestamp.optional().describe('Returns learnings that were current at this time'),
    include_closed: flag().prefault(false).describe('Include closed learnings; not with `as_of`'),
    sort: z.enum(LEARNING_SORTS).default('confidence'),
  })
  .refine((query) => query.as_of === undefined || !query.include_closed, {
    path: ['include_closed'],
    message: 'cannot be combined with as_of',
  });

export const verifyBody = z.strictObject({ note: text(500, 0).trim().optional() });

export const invalidateBody = z.strictObject({ reason: reasonText });

export const reopenBody = z.strictObject({ reason: reasonText });

export const visibilityBody = z.strictObject({
  visibility: z.enum(VISIBILITIES),
  version: z
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe('`version` of the learning that the caller read; rejected with CONFLICT if a later one exists'),
});

const BATCH_LEARNINGS = 100;
const ids = z.array(memoryName).min(1).max(BATCH_LEARNINGS).describe('Ids or hashes');

/** One change of many learnings. */
export const learningBatch = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('verify'), ids, ...verifyBody.shape }),
  z.strictObject({ action: z.literal('unverify'), ids }),
  z.strictObject({ action: z.literal('invalidate'), ids, ...invalidateBody.shape }),
  z.strictObject({ action: z.literal('reopen'), ids, ...reopenBody.shape }),
  z.strictObject({ action: z.literal('share'), ids }),
  z.strictObject({ action: z.literal('unshare'), ids }),
]);

export const learningBatchItem = z
  .object({
    index: z.number().int().describe('Index of the id in the request'),
    status: z.enum(['changed', 'rejected']),
    id: z.string().nullable().describe('Id of the changed learning: of a reopened one, that of the new version'),
    hash: z.string().nullable(),
    code: z.string().nullable().describe('Error code of a rejected item'),
    message: z.string().nullable(),
    details: errorSchema.shape.details,
  })
  .meta({ id: 'ChangedLearning' });

export const supersedeBody = z.strictObject({
  by: z
    .union([memoryName, learningInput.omit({ visibility: true })])
    .describe('Id or hash of another current learning, or a new learning, which is as private as this one'),
  reason: reasonText,
});
