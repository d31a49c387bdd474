import { z } from 'zod';
import { MEMORY_TYPES } from '../domain/ports/vector-index.ts';
import { DEGRADATIONS, MAX_CANDIDATES, STAGES, SUGGESTION_KINDS } from '../domain/search-names.ts';
import { compactMemorySchema, memoryName, memorySchema } from './memory.ts';
import type { ValueFilters } from '../domain/search-names.ts';
import { namespaceName, paginationSchema, timestamp } from './shared.ts';
import { flag, numeric, oneOrMore, tagsJoined } from './query.ts';
import { line, shown, text } from './text.ts';

export const MAX_QUESTION = 500;

const tag = text(64);
const question = line(MAX_QUESTION);
/** What is typed, before it is worth to complete it. */
const TWO_CHARACTERS = new RegExp(`${shown()}[\\s\\S]*${shown()}`, 'u');
const shownLimit = numeric(z.number().int().min(1).max(50)).prefault(20);

/** What narrows a search, apart from lists, which an address spells otherwise than a body. */
const narrowing = {
  project: text(2048).optional().describe('Id, git remote, root path or name'),
  namespace: namespaceName.optional(),
  ...({ kind: text(64).optional(), tool: text(256).optional() } satisfies Record<keyof ValueFilters, z.ZodType>),
  since: timestamp.optional(),
  until: timestamp.optional().describe('End of the time range, exclusive'),
  as_of: timestamp
    .optional()
    .describe('Returns memories as of this time: earlier rows, and learnings that were current then'),
};

export const searchQuery = z.strictObject({
  q: question.describe('Query of words, "exact phrases", field:value filters and time expressions (docs/search.md)'),
  type: oneOrMore(MEMORY_TYPES).optional(),
  tags: tagsJoined().optional(),
  ...narrowing,
  limit: shownLimit,
  offset: numeric(z.number().int().min(0).max(MAX_CANDIDATES)).prefault(0),
  min_score: numeric(z.number().min(0).max(1)).prefault(0).describe('Least chance of being relevant'),
  nearest: flag().prefault(false).describe('Return the nearest memories also if nothing fits the query'),
  group_by: z.enum(['none', 'session']).default('none'),
  format: z.enum(['full', 'compact']).default('full'),
  include_vectors: flag().prefault(false),
  explain: flag().prefault(false),
});

/** By meaning alone: of words, or of a vector that the caller has. */
export const semanticBody = z
  .strictObject({
    q: question.optional(),
    vector: z
      .array(z.number().min(-1e6).max(1e6))
      .min(1)
      .max(4_096)
      .optional()
      .describe('Query vector of the embedding model in use, with its dimension'),
    type: z.array(z.enum(MEMORY_TYPES)).min(1).max(MEMORY_TYPES.length).optional(),
    tags: z.array(tag).min(1).max(16).optional(),
    ...narrowing,
    limit: z.number().int().min(1).max(50).default(20),
    include_vectors: z.boolean().default(false),
    explain: z.boolean().default(false),
  })
  .refine(({ q, vector }) => (q === undefined) !== (vector === undefined), {
    path: ['q'],
    error: 'needs either q or vector',
  })
  .meta({ oneOf: [{ required: ['q'] }, { required: ['vector'] }] });

/** Filters of a search. */
export type SearchFilter = Partial<Pick<z.output<typeof semanticBody>, keyof typeof narrowing | 'type' | 'tags'>>;

const facet = z.record(z.string(), z.number().int());
const degraded = z.array(z.enum(DEGRADATIONS));
const nothingFits = z
  .boolean()
  .describe(
    'True if memories were found, but none fits the query; `data` is then empty, except in a search with `nearest` or by meaning only',
  );

export const understoodSchema = z.object({
  text: z.string().describe('Query text without filters and time expressions'),
  phrases: z.array(z.string()),
  fields: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
  time: z.object({ since: z.string().nullable(), until: z.string().nullable(), words: z.array(z.string()) }).nullable(),
  newest: z.boolean(),
  names: z.array(z.string()),
  language: z.string(),
});

export const searchAnswer = z
  .object({
    data: z.array(memorySchema),
    nothing_fits: nothingFits,
    facets: z.object({ type: facet, tool: facet, project: facet, tag: facet }),
    degraded,
    took_ms: z.number(),
    explain: z
      .object({
        understood: understoodSchema.nullable(),
        stages: z.array(z.object({ stage: z.enum(STAGES), took_ms: z.number() })),
      })
      .optional(),
    pagination: paginationSchema,
  })
  .meta({ id: 'SearchAnswer' });

export const compactAnswer = z
  .object({
    data: z.array(compactMemorySchema),
    nothing_fits: nothingFits.optional().describe('Present if true: memories were found, but none fits the query'),
    degraded: degraded.optional(),
  })
  .meta({ id: 'CompactSearchAnswer' });

export const suggestQuery = z.strictObject({
  q: text(100, 2).regex(TWO_CHARACTERS, 'must contain two visible characters').trim(),
  project: text(2048).optional().describe('Id, git remote, root path or name'),
  namespace: namespaceName.optional(),
  limit: numeric(z.number().int().min(1).max(20)).prefault(10),
});
export const suggestAnswer = z
  .object({
    data: z.array(z.object({ text: z.string(), kind: z.enum(SUGGESTION_KINDS), count: z.number().int() })),
  })
  .meta({ id: 'Suggestions' });

const MAX_SIDE = 50;

const side = numeric(z.number().int().min(0).max(MAX_SIDE)).prefault(5);

export const timelineQuery = z
  .strictObject({
    anchor: memoryName.optional(),
    q: line(500).optional().describe('Query; the best result is the anchor'),
    before: side,
    after: side,
    project: text(2048).optional().describe('Reads the timeline of the project instead of the session'),
    namespace: namespaceName
      .optional()
      .describe("Namespace of the project's timeline and of the search for `q`; default: that of the anchor"),
    types: oneOrMore(MEMORY_TYPES).optional(),
    format: z.enum(['full', 'compact']).default('full'),
  })
  .refine((query) => (query.anchor === undefined) !== (query.q === undefined), {
    path: ['anchor'],
    message: 'or q is needed, and not both',
  });

const timelineItem = z.union([memorySchema, compactMemorySchema]);

export const timelineAnswer = z
  .object({
    anchor: timelineItem.nullable().describe('Anchor of the timeline; null if `q` has no result'),
    data: z.array(timelineItem).describe('Memories in chronological order, including the anchor'),
    has_before: z.boolean(),
    has_after: z.boolean(),
    degraded: z
      .array(z.string())
      .optional()
      .describe('Retrievers and stages that were unavailable in the search for `q`'),
  })
  .meta({ id: 'Timeline' });
