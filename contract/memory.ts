import { z } from 'zod';
import { MEMORY_TYPES } from '../domain/ports/vector-index.ts';
import { HIGHLIGHTED_FIELDS, MAX_HIGHLIGHTS } from '../domain/highlight.ts';
import { VISIBILITIES } from '../domain/learning/visibility.ts';
import { LEARNING_CATEGORIES } from '../domain/ports/model.ts';
import { namespaceName, share, tagList, timestamp, usedIn } from './shared.ts';
import { line, shown, text } from './text.ts';
import { flag } from './query.ts';

const retrieverSchema = z.object({ score: z.number(), rank: z.number().int(), relative: z.number() }).nullable();
const stageSchema = z.object({ score: z.number(), rank: z.number().int() });

/** Scores of a memory by retriever and stage. */
export const explainSchema = z.object({
  keyword: retrieverSchema,
  vector: retrieverSchema,
  recency: retrieverSchema,
  parts: z
    .object({ retrievers: z.number(), kind: z.number(), session: z.number().nullable() })
    .describe('Parts of the fused score: sum of the retrievers, factor of the memory’s kind, share of its session'),
  fused: stageSchema,
  rerank: stageSchema.nullable(),
  scored: stageSchema,
  in_time_range: z.boolean().nullable().describe('Whether the memory is in the time range of the query'),
});

/** A memory as search, the timeline and the routes of memories answer it. */
export const memorySchema = z
  .object({
    id: z.string(),
    hash: z.string().describe('Eight characters derived from the id'),
    type: z.enum(MEMORY_TYPES),
    kind: z
      .string()
      .describe('Type of an observation, role of a prompt, type or item kind of a summary, category of a learning'),
    title: z.string(),
    content: z.string(),
    preview: z.string(),
    score: z
      .number()
      .describe('Of a search result: the chance of being relevant, 0 to 1, never rising down the list; otherwise 0'),
    session: z.object({ id: z.string(), external_id: z.string(), title: z.string().nullable() }).nullable(),
    key: z.string().nullable().describe('De-duplication key of the captured event; null for derived memories'),
    sources: z.array(z.string()).describe('Ids of the source rows'),
    project: z.string().nullable(),
    namespace: z.string(),
    tags: z.array(z.string()),
    tool: z.string().nullable(),
    occurred_at: z.string(),
    created_at: z.string(),
    highlights: z
      .array(
        z.object({
          field: z.enum(HIGHLIGHTED_FIELDS),
          start: z.number().int(),
          end: z.number().int().describe('Exclusive'),
        }),
      )
      .describe(
        `Words of the query in title and content, as ranges of UTF-16 code units: the first ${MAX_HIGHLIGHTS}; empty outside of a search`,
      ),
    explain: explainSchema.optional().describe('Scores and ranks of each stage; only with `explain`'),
    vector: z
      .array(z.number())
      .nullable()
      .optional()
      .describe('Vector of the first chunk; present if vectors were requested'),
  })
  .meta({ id: 'Memory' });

/** The short form of a memory, for agents that count tokens. */
export const compactMemorySchema = z
  .object({
    hash: z.string(),
    preview: z.string().describe('At most 200 characters and 32 tokens'),
    tags: z.array(z.string()),
    created: z.string().describe('Day, as YYYY-MM-DD'),
    score: z.number().optional().describe('Chance of being relevant, two decimals; absent outside of a search'),
  })
  .meta({ id: 'CompactMemory' });

const memoryHash = z
  .string()
  .regex(/^[a-zA-Z2-7]{8}$/, 'eight characters of a to z and 2 to 7')
  .toLowerCase();

/** The name of a memory: its id, or its hash of eight characters. */
export const memoryName = z
  .union([z.uuid(), memoryHash], { error: 'is neither the id nor the hash of a memory' })
  .describe('Id or hash of a memory');

/** A memory's text, in UTF-8. */
export const CONTENT_BYTES = 64 * 1024;
/** Memories of one request. */
export const MAX_BATCH = 1_000;
/** Of them those that are compared with what is known: each takes some tens of milliseconds. */
export const MAX_COMPARED = 100;

const content = line(CONTENT_BYTES, 'bytes').refine((text) => new TextEncoder().encode(text).length <= CONTENT_BYTES, {
  message: `must have 1 to ${CONTENT_BYTES} bytes`,
});
const title = line(200);

/** A memory given by hand. */
export const memoryInput = z
  .strictObject({
    content: content.describe('Content, 1 to 65,536 bytes'),
    title: title.optional(),
    tags: tagList.default([]),
    category: z.enum(LEARNING_CATEGORIES).default('general'),
    project: text(2048)
      .regex(new RegExp(shown(String.raw`\x01-\x1f\x7f-\x9f`), 'u'), 'must contain a visible character')
      .trim()
      .optional()
      .describe('Id, git remote, root path or name of a project; an unknown one is created, unless it is an id'),
    namespace: namespaceName.default('default'),
    importance: share.optional().describe('Importance, 0 to 1; default: 0.8'),
    confidence: share.optional().describe('Alias of `importance`'),
    occurred_at: timestamp.optional().describe('Time from which the memory is valid, not in the future; default: now'),
    infer: z.boolean().default(false).describe('Compare the memory with existing learnings'),
    visibility: z
      .enum(VISIBILITIES)
      .optional()
      .describe('private: you and admins read it; default: the setting of the tenant'),
  })
  .refine((body) => body.importance === undefined || body.confidence === undefined, {
    path: ['confidence'],
    message: 'cannot be combined with importance',
  })
  .meta({ id: 'NewMemory', not: { required: ['importance', 'confidence'] } });
export type MemoryInput = z.output<typeof memoryInput>;

/** Items are checked one by one: a bad one must not spoil the others. */
export const memoryBatch = z.strictObject({
  memories: z
    .array(z.union([memoryInput, z.unknown().meta({ description: 'Other items are rejected' })]))
    .min(1)
    .max(MAX_BATCH),
});

export const storedItem = z
  .object({
    index: z.number().int(),
    status: z.enum(['stored', 'duplicate', 'rejected']),
    hash: z.string().nullable(),
    code: z.string().nullable(),
    message: z.string().nullable().describe('Fault, with the name of the field'),
  })
  .meta({ id: 'StoredMemoryItem' });

/** What changes of a memory: at least one field. */
export const memoryCorrection = z
  .strictObject({
    content,
    title,
    tags: tagList,
    category: z.enum(LEARNING_CATEGORIES),
    importance: share,
    flagged: z.boolean(),
  })
  .partial()
  .refine((body) => Object.keys(body).length > 0, { path: ['content'], message: 'or another field is needed' })
  .meta({ minProperties: 1 });
export type MemoryCorrection = z.output<typeof memoryCorrection>;

export const forgottenSchema = z
  .object({
    dry_run: z.boolean(),
    session_id: z.string(),
    key: z.string().nullable().describe('Key of the event; null: the complete session'),
    forgotten: z.object({
      prompts: z.number().int(),
      observations: z.number().int(),
      boundaries: z.number().int(),
      summaries: z.number().int(),
      windows: z.number().int().describe('Number of windows that are summarised again from the remaining rows'),
      evidence: z.number().int(),
      learnings: z.number().int().describe('Number of learnings closed because no evidence remains'),
      vectors: z.number().int().describe('Number of vectors, removed from the index within seconds'),
    }),
  })
  .meta({ id: 'Forgotten' });

export const dryRun = flag().prefault(false).describe('Count the affected rows, without deleting');

const MAX_FETCHED = 100;

export const storedAnswer = z.object({ hash: z.string() }).meta({ id: 'StoredMemory' });

export const fetchedMemories = z.object({
  data: z.array(memorySchema),
  missing: z.array(z.string()).describe('Ids and hashes without a memory'),
});

export const fetchMemoriesBody = z.strictObject({
  ids: z.array(memoryName).min(1).max(MAX_FETCHED).describe('Ids or hashes of memories'),
  used_in: usedIn,
});

export const memoryHashParams = z.object({ hash: memoryHash });

export const memoryQuery = z.strictObject({
  as_of: timestamp.optional().describe('Returns the version of a learning that was current at this time'),
  used_in: usedIn,
});

const memorySource = z
  .object({
    id: z.string(),
    hash: z.string(),
    type: z.enum(MEMORY_TYPES),
    kind: z.string().describe('Role of a prompt, type of an observation'),
    session: z.object({ id: z.string(), external_id: z.string(), title: z.string().nullable() }).nullable(),
    preview: z.string(),
    occurred_at: z.string(),
  })
  .meta({ id: 'MemorySource' });

export const forgetQuery = z.strictObject({
  dry_run: dryRun,
  with_sources: flag()
    .prefault(false)
    .describe('Forget the captured events that the memory was made from, too, in the same transaction: the newest 20'),
});

export const forgottenMemory = z
  .object({
    id: z.string(),
    hash: z.string(),
    type: z.enum(MEMORY_TYPES),
    dry_run: z.boolean(),
    forgotten: z.number().int().describe('Number of forgotten versions of a learning, or rows of a captured event'),
    sources: z.object({
      forgotten: z.array(memorySource).describe('Sources forgotten with the memory, newest first'),
      remaining: z
        .array(memorySource)
        .describe('Sources that remain and that the caller may forget, newest first, at most 20'),
      remaining_count: z.number().int().describe('Number of all sources that remain, including those of other users'),
    }),
  })
  .meta({ id: 'ForgottenMemory' });
export type MemorySource = z.output<typeof memorySource>;
