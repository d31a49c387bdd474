import { z } from 'zod';
import { MEMORY_TYPES } from '../../../domain/ports/vector-index.ts';
import type { MemoryType, RecallHit } from '../../../domain/ports/vector-index.ts';
import type { TenantRead } from '../connection/database.ts';
import { isNotRestricted } from '../erasure/restricted.ts';
import { IS_SHOWN } from '../learnings/learning-list.ts';

const OBJECTS = `
  SELECT object_id, resource_id, resource_type FROM embeddings
   WHERE tenant_id = (SELECT current_tenant_id()) AND model = $1 AND object_id = ANY ($2::uuid[])`;

const objectRow = z.object({ object_id: z.string(), resource_id: z.string() });

/** Returns the memories of objects of an index, by object. */
export async function memoriesOfObjects(
  read: TenantRead,
  index: string,
  objectIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await read({ name: 'read_objects', text: OBJECTS, values: [index, objectIds] });
  return new Map(
    z
      .array(objectRow)
      .parse(rows)
      .map((row) => [row.object_id, row.resource_id]),
  );
}

/** A prompt that is shorter is complete: it may be the question itself. */
export const PROMPT_CHARACTERS = 240;

const idsOfType = (type: MemoryType) => `ARRAY(SELECT id FROM ids WHERE type = '${type}')`;

/** One row for each object, and for each memory without one. A long content is cut before it is joined: only its start is read. */
const candidatesBy = (objects: string) => `
  WITH found AS MATERIALIZED (${objects}),
  ids AS MATERIALIZED (SELECT resource_id AS id, resource_type AS type FROM found UNION SELECT * FROM unnest($3::uuid[], $7::text[]))
  SELECT f.object_id, m.id, m.type, m.kind, m.tool, m.tags, m.session_id, p.display_name AS project_name, m.occurred_at, m.beginning
      FROM (
        SELECT o.id, 'observation' AS type, o.type AS kind, o.tool, o.tags, o.session_id, NULL::uuid AS direct_project_id, o.occurred_at, o.user_id, left(o.title || ' ' || left(o.content, $6::integer), $6::integer) AS beginning
          FROM observations o WHERE o.id = ANY (${idsOfType('observation')}) AND ($4::uuid IS NULL OR o.user_id = $4::uuid)
        UNION ALL
        SELECT q.id, 'prompt', q.type, NULL, '{}', q.session_id, NULL, q.occurred_at, q.user_id, left(q.content, greatest($6::integer, ${PROMPT_CHARACTERS}))
          FROM prompts q WHERE q.id = ANY (${idsOfType('prompt')}) AND ($4::uuid IS NULL OR q.user_id = $4::uuid)
        UNION ALL
        SELECT u.id, 'summary', coalesce(u.kind, u.type), NULL, u.tags, u.session_id, u.project_id, u.occurred_at, u.user_id, left(u.title || ' ' || left(u.content, $6::integer), $6::integer)
          FROM summaries u WHERE u.id = ANY (${idsOfType('summary')}) AND u.published
        UNION ALL
        SELECT l.id, 'learning', l.category, NULL, l.tags, l.session_id, l.project_id, l.valid_from, l.user_id, left(l.title || ' ' || l.description, $6::integer)
          FROM learnings l WHERE l.id = ANY (${idsOfType('learning')}) AND (l.valid_to IS NULL OR l.valid_to > $5::timestamptz) AND ${IS_SHOWN}
           AND ($5::timestamptz IS NULL OR l.valid_from <= $5::timestamptz)
      ) AS m
      LEFT JOIN found f ON f.resource_id = m.id
      LEFT JOIN sessions s ON s.id = m.session_id
      LEFT JOIN projects p ON p.id = coalesce(m.direct_project_id, s.project_id)
     WHERE (s.id IS NULL OR s.status <> 'deleted') AND ${isNotRestricted('s.id', 'm.user_id')}`;

const CANDIDATES = { name: 'read_candidates', text: candidatesBy(OBJECTS) };
/** Without Weaviate a search does not wait for the ledger, e.g. while that is locked. */
const CANDIDATES_BY_ID = {
  name: 'read_candidates_by_id',
  text: candidatesBy(
    'SELECT id AS object_id, id AS resource_id, $1::text AS resource_type FROM unnest($2::uuid[]) AS id',
  ),
};

/** Not `rowOf`: renaming the columns of a hundred rows takes as long as the rest of their parsing. */
const candidateRow = z.object({
  object_id: z.string().nullable(),
  id: z.string(),
  type: z.enum(MEMORY_TYPES),
  kind: z.string(),
  tool: z.string().nullable(),
  tags: z.array(z.string()),
  session_id: z.string().nullable(),
  project_name: z.string().nullable(),
  occurred_at: z.date(),
  beginning: z.string(),
});

/** Properties of a memory for ranking, counting and grouping, and the start of its text: enough to detect equal texts, or for a reranker. */
export interface MemoryHead {
  readonly id: string;
  readonly type: MemoryType;
  readonly kind: string;
  readonly tool: string | null;
  readonly tags: readonly string[];
  readonly sessionId: string | null;
  readonly projectName: string | null;
  readonly occurredAt: Date;
  readonly beginning: string;
}

export interface CandidateRequest {
  /** Name of the index of the objects. */
  readonly index: string;
  readonly objectIds: readonly string[];
  /** Memories that another store found. */
  readonly memories: readonly Pick<RecallHit, 'memoryId' | 'memoryType'>[];
  readonly viewerId: string | undefined;
  readonly asOf: string | undefined;
  /** Length of the beginnings. */
  readonly characters: number;
}

export interface Candidates {
  /** The memories that `readMemories` would return, by id. */
  readonly heads: ReadonlyMap<string, MemoryHead>;
  /** A found object as a hit of its memory; undefined if that cannot be shown. */
  readonly hitOf: (objectId: string, score: number) => RecallHit | undefined;
}

/** Reads what a search needs of all that its retrievers found, in one statement. */
export async function readCandidates(read: TenantRead, request: CandidateRequest): Promise<Candidates> {
  const { index, objectIds, viewerId, asOf, characters } = request;
  const ids = request.memories.map(({ memoryId }) => memoryId);
  const types = request.memories.map(({ memoryType }) => memoryType);
  const values = [index, objectIds, ids, viewerId ?? null, asOf ?? null, characters, types];
  const heads = new Map<string, MemoryHead>();
  const ofObjects = new Map<string, MemoryHead>();
  const statement = objectIds.length === 0 ? CANDIDATES_BY_ID : CANDIDATES;
  for (const row of z.array(candidateRow).parse(await read({ ...statement, values }))) {
    const { object_id: objectId, session_id: sessionId, project_name: projectName, occurred_at: occurredAt } = row;
    const { id, type, kind, tool, tags, beginning } = row;
    const head = heads.get(id) ?? { id, type, kind, tool, tags, sessionId, projectName, occurredAt, beginning };
    heads.set(id, head);
    if (objectId !== null) ofObjects.set(objectId, head);
  }
  return {
    heads,
    hitOf(objectId, score) {
      const head = ofObjects.get(objectId);
      if (head === undefined) return undefined;
      const { id: memoryId, type: memoryType, sessionId, kind, tool } = head;
      return { memoryId, memoryType, sessionId, kind, tool, score };
    },
  };
}
