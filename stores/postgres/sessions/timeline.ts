import { z } from 'zod';
import { MEMORY_TYPES } from '../../../domain/ports/vector-index.ts';
import type { MemoryType } from '../../../domain/ports/vector-index.ts';
import type { TenantRead } from '../connection/database.ts';
import type { MemoryRef } from '../memories/memories.ts';
import { isNotRestricted } from '../erasure/restricted.ts';
import { idsOf } from '../connection/rows.ts';

/**
 * A timeline: a session; a project in a namespace, across all its sessions there; or the learnings without a project in a namespace.
 * Ordered by time, position in the session, id.
 */
export type Line =
  | { readonly kind: 'session'; readonly id: string }
  | { readonly kind: 'project'; readonly id: string; readonly namespace: string }
  | { readonly kind: 'namespace'; readonly namespace: string };

/** A place in reading order. */
export interface LinePlace {
  /** As PostgreSQL writes it, to the microsecond. */
  readonly occurredAt: string;
  readonly seq: number;
  readonly id: string;
}

export interface LineQuery {
  readonly line: Line;
  readonly place: LinePlace;
  readonly types: readonly MemoryType[];
  /** User whose prompts and observations may be shown; undefined: an admin, who sees all. */
  readonly viewerId: string | undefined;
}

/** Learnings have no position in a session: they are read behind what happened in the same moment. */
const BEHIND_ROWS = 2_147_483_647;

const placeRow = z.object({ occurred_at: z.string(), seq: z.number() });

/** Position of a memory in reading order; null if it is missing. */
export async function placeOf(read: TenantRead, id: string): Promise<LinePlace | null> {
  const rows = await read({
    name: 'timeline_place',
    text: `
      SELECT occurred_at::text, seq FROM observations WHERE id = $1
      UNION ALL SELECT occurred_at::text, seq FROM prompts WHERE id = $1
      UNION ALL SELECT occurred_at::text, to_seq FROM summaries WHERE id = $1
      UNION ALL SELECT valid_from::text, ${BEHIND_ROWS} FROM learnings WHERE id = $1`,
    values: [id],
  });
  const [row] = z.array(placeRow).parse(rows);
  return row === undefined ? null : { occurredAt: row.occurred_at, seq: row.seq, id };
}

type Direction = 'before' | 'after';
const ORDER = { before: { than: '<', by: 'DESC' }, after: { than: '>', by: 'ASC' } } as const;

/**
 * Sessions of a project that are read on either side of the anchor, by its id and again by its time: the edges of each take four look-ups in every
 * partition. An id contains the time of receipt, which is near the time of the session, or for transcripts near that of similar ones.
 */
const SESSIONS_OF_SIDE = 75;
/** Sessions concurrent with the anchor, in addition to those that could fill the response with one row each. */
const MAX_ALONGSIDE = 50;

/**
 * Returns the query for the sessions of a project with the nearest rows on that side. A session's first and last rows define its start and end:
 * the times in its own row are those of receipt, and a transcript may be received years later.
 */
function sessionsText(direction: Direction): string {
  const edges = (table: string) => `
          (SELECT occurred_at FROM ${table} WHERE session_id = s.id ORDER BY seq LIMIT 2)
          UNION ALL (SELECT occurred_at FROM ${table} WHERE session_id = s.id ORDER BY seq DESC LIMIT 8)`;
  const near = (place: string) => `
          (SELECT id FROM own WHERE id <= ${place} ORDER BY id DESC LIMIT ${SESSIONS_OF_SIDE})
          UNION (SELECT id FROM own WHERE id > ${place} ORDER BY id LIMIT ${SESSIONS_OF_SIDE})`;
  const timeAsId = `(lpad(to_hex((extract(epoch FROM $3::timestamptz) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid`;
  return `
      WITH own AS NOT MATERIALIZED (
        SELECT id FROM sessions WHERE project_id = $1::uuid AND namespace = $5::text AND status <> 'deleted' AND ${isNotRestricted('id', 'user_id')} AND ($2::uuid IS NULL OR user_id = $2::uuid))
    SELECT s.id
      FROM (${near('$6::uuid')} UNION ${near(timeAsId)}) AS s
     CROSS JOIN LATERAL (
        SELECT min(occurred_at) AS began, max(occurred_at) AS ended FROM (${edges('observations')}
          UNION ALL ${edges('prompts')}) AS edge) AS bounds
     WHERE ${direction === 'before' ? 'bounds.began <= $3::timestamptz' : 'bounds.ended >= $3::timestamptz'}
     ORDER BY ${direction === 'before' ? 'least(bounds.ended, $3::timestamptz) DESC' : 'greatest(bounds.began, $3::timestamptz)'}, s.id
     LIMIT $4::integer + ${MAX_ALONGSIDE}`;
}

/** Conditions for the rows of a table on the timeline; $1 are sessions, $2 the project or null, $3 the namespace or null. */
const OF_LINE: Readonly<Record<MemoryType, Readonly<Record<Line['kind'], string>>>> = {
  observation: {
    session: 'session_id = ANY ($1::uuid[])',
    project: 'session_id = ANY ($1::uuid[])',
    namespace: 'false',
  },
  prompt: { session: 'session_id = ANY ($1::uuid[])', project: 'session_id = ANY ($1::uuid[])', namespace: 'false' },
  summary: {
    session: 'session_id = ANY ($1::uuid[])',
    project:
      'project_id = $2::uuid AND EXISTS (SELECT FROM sessions s WHERE s.id = summaries.session_id AND s.namespace = $3::text)',
    namespace: 'false',
  },
  learning: {
    session: 'session_id = ANY ($1::uuid[])',
    project: 'project_id = $2::uuid AND namespace = $3::text',
    namespace: 'project_id IS NULL AND session_id IS NULL AND namespace = $3::text',
  },
};

const COLUMNS: Readonly<Record<MemoryType, { readonly from: string; readonly at: string; readonly seq: string }>> = {
  observation: { from: 'observations', at: 'occurred_at', seq: 'seq' },
  prompt: { from: 'prompts', at: 'occurred_at', seq: 'seq' },
  summary: { from: 'summaries', at: 'occurred_at', seq: 'to_seq' },
  learning: { from: 'learnings', at: 'valid_from', seq: String(BEHIND_ROWS) },
};

/** Their sessions are not restricted: rows need no check. */
const IS_VISIBLE: Readonly<Record<MemoryType, string>> = {
  observation: '($5::uuid IS NULL OR user_id = $5::uuid)',
  prompt: '($5::uuid IS NULL OR user_id = $5::uuid)',
  summary: `published AND ${isNotRestricted('session_id', 'user_id')}`,
  learning: `valid_to IS NULL AND ${isNotRestricted('session_id', 'user_id')}`,
};

/** A separate condition on the time lets the index be used; the others order rows of the same time. */
function lineText(kind: Line['kind'], direction: Direction): string {
  const { than, by } = ORDER[direction];
  const parts = MEMORY_TYPES.map((type) => {
    const { from, at, seq } = COLUMNS[type];
    // To PostgreSQL a column that is null by its condition is none that is the same throughout: without it here it would sort what the index has in order.
    const first = kind === 'namespace' && type === 'learning' ? `project_id ${by}, ` : '';
    return `
      (SELECT id, '${type}' AS type, ${at} AS at, ${seq} AS n FROM ${from}
        WHERE '${type}' = ANY ($4::text[]) AND ${OF_LINE[type][kind]} AND ${IS_VISIBLE[type]} AND ${at} ${than}= $6::timestamptz AND (${at}, ${seq}, id) ${than} ($6::timestamptz, $7::integer, $8::uuid)
        ORDER BY ${first}at ${by}, n ${by}, id ${by} LIMIT $9::integer)`;
  });
  // Unused parameters are named once, so that PostgreSQL knows their types.
  return `
    SELECT id, type FROM (${parts.join(' UNION ALL ')}) AS line
     WHERE $1::uuid[] IS NOT NULL AND ($2::uuid IS NULL OR true) AND ($3::text IS NULL OR true)
     ORDER BY at ${by}, n ${by}, id ${by} LIMIT $9::integer`;
}

const refRows = z.array(z.object({ id: z.string(), type: z.enum(MEMORY_TYPES) }));

/** Up to `limit` memories of a line on one side of a place, the nearest first. */
export async function readLine(
  read: TenantRead,
  { line, place, types, viewerId }: LineQuery,
  direction: Direction,
  limit: number,
): Promise<readonly MemoryRef[]> {
  const viewer = viewerId ?? null;
  const wantsRows = types.includes('observation') || types.includes('prompt');
  const sessions =
    line.kind === 'session'
      ? [line.id]
      : line.kind === 'project' && wantsRows
        ? idsOf(
            await read({
              name: `timeline_sessions_${direction}`,
              text: sessionsText(direction),
              values: [line.id, viewer, place.occurredAt, limit, line.namespace, place.id],
            }),
          )
        : [];
  return refRows.parse(
    await read({
      name: `timeline_${line.kind}_${direction}`,
      text: lineText(line.kind, direction),
      values: [
        sessions,
        line.kind === 'project' ? line.id : null,
        line.kind === 'session' ? null : line.namespace,
        types,
        viewer,
        place.occurredAt,
        place.seq,
        place.id,
        limit,
      ],
    }),
  );
}
