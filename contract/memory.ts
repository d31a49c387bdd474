import { z } from 'zod';
import { previewOf } from '../domain/capture/build-event.ts';
import { highlight } from '../domain/highlight.ts';
import { MEMORY_HASH, memoryHash } from '../domain/memory.ts';
import type { Memory } from '../domain/memory.ts';
import { MEMORY_TYPES } from '../domain/ports/vector-index.ts';
import type { TracedMemory } from '../retrieval/search-types.ts';

const retrieverSchema = z.object({ score: z.number(), rank: z.number().int(), relative: z.number() }).nullable();
const stageSchema = z.object({ score: z.number(), rank: z.number().int() });

/** What each lane and each stage of a search said of a memory. */
const explainSchema = z.object({
  keyword: retrieverSchema,
  vector: retrieverSchema,
  graph: retrieverSchema,
  recency: retrieverSchema,
  parts: z
    .object({ retrievers: z.number(), kind: z.number(), session: z.number().nullable() })
    .describe('What the fused score is made of: the lanes together, the factor of its kind, what its session says'),
  fused: stageSchema,
  rerank: stageSchema.nullable(),
  scored: stageSchema,
  diversified: stageSchema,
  in_time: z.boolean().nullable().describe('Whether it happened at the time that the question speaks of'),
});

/** A memory as search, the timeline and the routes of memories answer it. */
export const memorySchema = z
  .object({
    id: z.string(),
    hash: z.string(),
    type: z.enum(MEMORY_TYPES),
    kind: z.string(),
    title: z.string(),
    content: z.string(),
    preview: z.string(),
    score: z.number(),
    session: z.object({ id: z.string(), external_id: z.string(), title: z.string().nullable() }).nullable(),
    key: z.string().nullable(),
    sources: z.array(z.string()),
    project: z.string().nullable(),
    namespace: z.string(),
    tags: z.array(z.string()),
    tool: z.string().nullable(),
    occurred_at: z.string(),
    created_at: z.string(),
    highlights: z.array(z.string()),
    explain: explainSchema.optional(),
    vector: z.array(z.number()).nullable().optional().describe('Of its first chunk, where vectors were asked for'),
  })
  .meta({ id: 'Memory' });

/** The short form of a memory, for agents that count tokens. */
export const compactMemorySchema = z
  .object({
    hash: z.string(),
    preview: z.string(),
    tags: z.array(z.string()),
    created: z.string(),
    score: z.number().optional(),
  })
  .meta({ id: 'CompactMemory' });

function presentExplain({ retrievers, parts, stages, inTime }: TracedMemory): z.output<typeof explainSchema> {
  const { keyword, vector, graph = null, recency = null } = retrievers;
  return {
    keyword,
    vector,
    graph,
    recency,
    parts: { retrievers: parts.fused, kind: parts.prior, session: parts.session },
    ...stages,
    in_time: inTime,
  };
}

/** The name of a memory: its id, or its hash of eight characters. */
export const memoryName = z
  .union([z.uuid(), z.string().regex(MEMORY_HASH)], { error: 'is neither the id nor the hash of a memory' })
  .describe('Id, or hash');

/** A memory that nobody searched for: without a score, and with nothing marked. */
export function presentMemory(memory: Memory): z.output<typeof memorySchema> {
  return {
    id: memory.id,
    hash: memoryHash(memory.id),
    type: memory.type,
    kind: memory.kind,
    title: memory.title,
    content: memory.content,
    preview: previewOf(memory.content),
    score: 0,
    session:
      memory.session === null
        ? null
        : { id: memory.session.id, external_id: memory.session.externalId, title: memory.session.title },
    key: memory.key,
    sources: [...memory.sources],
    project: memory.projectName,
    namespace: memory.namespace,
    tags: [...memory.tags],
    tool: memory.tool,
    occurred_at: memory.occurredAt,
    created_at: memory.createdAt,
    highlights: [],
  };
}

/** What search found, with the words of the question marked; `explain` adds what each lane and stage said. */
export function presentFound(found: TracedMemory, question: string, explain: boolean): z.output<typeof memorySchema> {
  const { memory } = found;
  return {
    ...presentMemory(memory),
    score: found.score,
    highlights: highlight(`${memory.title}\n${memory.content}`.trim(), question),
    ...(explain ? { explain: presentExplain(found) } : {}),
    ...(found.vector === undefined ? {} : { vector: found.vector === null ? null : [...found.vector] }),
  };
}
