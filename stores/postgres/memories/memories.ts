import { z } from 'zod';
import { DATA_CLASSES } from '../../../domain/data-classes.ts';
import type { Memory } from '../../../domain/memory.ts';
import { MEMORY_TYPES } from '../../../domain/ports/vector-index.ts';
import type { MemoryType } from '../../../domain/ports/vector-index.ts';
import { rowOf } from '../connection/rows.ts';
import type { TenantRead } from '../connection/database.ts';
import { IS_SHOWN } from '../learnings/learning-list.ts';
import { isNotRestricted } from '../erasure/restricted.ts';

export interface MemoryRef {
  readonly type: MemoryType;
  readonly id: string;
}

/** Ids of observations, prompts, summaries and learnings: statements read each table by its own ids. */
export function idsByType(refs: readonly MemoryRef[]): string[][] {
  const idsOf = (type: MemoryType) => refs.filter((ref) => ref.type === type).map((ref) => ref.id);
  return [idsOf('observation'), idsOf('prompt'), idsOf('summary'), idsOf('learning')];
}

/** Complete text of a summary `u` and of a learning `l`. */
export const SUMMARY_CONTENT = `u.content || coalesce((SELECT string_agg(E'\\n' || (point ->> 'text'), '') FROM jsonb_array_elements(u.key_points) AS point), '')`;
export const LEARNING_CONTENT = `concat_ws(E'\\n', l.description, nullif(l.context, ''), (SELECT string_agg(example, E'\\n') FROM jsonb_array_elements_text(l.examples) AS example))`;

const READ_MEMORIES = `
    SELECT m.*, s.external_id, s.host, s.title AS session_title, coalesce(m.direct_project_id, s.project_id) AS project_id, p.display_name AS project_name,
           coalesce(m.own_namespace, s.namespace) AS namespace
      FROM (
        SELECT o.id, 'observation' AS type, o.type AS kind, o.title, o.content, o.tags, o.tool, o.session_id, NULL::uuid AS direct_project_id, NULL::text AS own_namespace,
               o.user_id, true AS is_private, o.data_class, o.key, '{}'::text[] AS sources, o.importance, 0::real AS use_weight, o.occurred_at, o.created_at
          FROM observations o WHERE o.id = ANY ($1::uuid[]) AND ($5::uuid IS NULL OR o.user_id = $5::uuid)
        UNION ALL
        SELECT q.id, 'prompt', q.type, '', q.content, '{}', NULL, q.session_id, NULL, NULL, q.user_id, true, q.data_class,
               (SELECT k.key FROM capture_keys k WHERE k.session_id = q.session_id AND k.seq = q.seq), '{}', 0.5, 0, q.occurred_at, q.created_at
          FROM prompts q WHERE q.id = ANY ($2::uuid[]) AND ($5::uuid IS NULL OR q.user_id = $5::uuid)
        UNION ALL
        SELECT u.id, 'summary', coalesce(u.kind, u.type), u.title,
               ${SUMMARY_CONTENT},
               u.tags, NULL, u.session_id, u.project_id, NULL, u.user_id, false, NULL, NULL,
               ARRAY(SELECT DISTINCT piece ->> 'rowId' FROM jsonb_array_elements(u.evidence) AS piece), u.importance, 0, u.occurred_at, u.created_at
          FROM summaries u WHERE u.id = ANY ($3::uuid[]) AND u.published
        UNION ALL
        SELECT l.id, 'learning', l.category, l.title,
               ${LEARNING_CONTENT},
               l.tags, NULL, l.session_id, l.project_id, l.namespace, l.user_id, l.visibility = 'private', NULL, NULL,
               ARRAY(SELECT DISTINCT e.row_id::text FROM learning_evidence e WHERE e.learning_id = l.id), l.confidence, use_weight_at_day_start(l.id, l.use_weight), l.valid_from, l.created_at
          FROM learnings l WHERE l.id = ANY ($4::uuid[]) AND (l.valid_to IS NULL OR l.valid_to > $6::timestamptz) AND ${IS_SHOWN}
           AND ($6::timestamptz IS NULL OR l.valid_from <= $6::timestamptz)
      ) AS m
      LEFT JOIN sessions s ON s.id = m.session_id
      LEFT JOIN projects p ON p.id = coalesce(m.direct_project_id, s.project_id)
     WHERE (s.id IS NULL OR s.status <> 'deleted') AND ($7::boolean OR ${isNotRestricted('s.id', 'm.user_id')})`;

const memoryRow = rowOf({
  id: z.string(),
  type: z.enum(MEMORY_TYPES),
  kind: z.string(),
  title: z.string(),
  content: z.string(),
  tags: z.array(z.string()),
  tool: z.string().nullable(),
  session_id: z.string().nullable(),
  external_id: z.string().nullable(),
  host: z.string().nullable(),
  session_title: z.string().nullable(),
  project_id: z.string().nullable(),
  project_name: z.string().nullable(),
  namespace: z.string(),
  user_id: z.string(),
  is_private: z.boolean(),
  data_class: z.enum(DATA_CLASSES).nullable(),
  key: z.string().nullable(),
  sources: z.array(z.string()),
  importance: z.number(),
  use_weight: z.number(),
  occurred_at: z.date(),
  created_at: z.date(),
});

/**
 * Reads memories by reference, unordered; omits missing, deleted, closed and other users' memories. `viewerId` undefined: an admin, or the
 * index step, which reads all of the tenant. `asOf` (RFC 3339): learnings that were current then, instead of the current ones. Restricted
 * memories are omitted, except for the index step, which must not remove their vectors.
 */
export async function readMemories(
  read: TenantRead,
  refs: readonly MemoryRef[],
  viewerId?: string,
  asOf?: string,
  restricted: 'hidden' | 'shown' = 'hidden',
): Promise<Memory[]> {
  if (refs.length === 0) return [];
  const values = [...idsByType(refs), viewerId ?? null, asOf ?? null, restricted === 'shown'];
  const rows = await read({ name: 'read_memories', text: READ_MEMORIES, values });
  return z.array(memoryRow).parse(rows).map(toMemory);
}

function toMemory(row: z.output<typeof memoryRow>): Memory {
  const { sessionId, externalId, host, sessionTitle, occurredAt, createdAt, ...memory } = row;
  return {
    ...memory,
    session:
      sessionId === null || externalId === null || host === null
        ? null
        : { id: sessionId, externalId, host, title: sessionTitle },
    occurredAt: occurredAt.toISOString(),
    createdAt: createdAt.toISOString(),
  };
}
