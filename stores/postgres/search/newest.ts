import { z } from 'zod';
import { MEMORY_TYPES } from '../../../domain/ports/vector-index.ts';
import type { MemoryType, RecallFilter, RecallHit } from '../../../domain/ports/vector-index.ts';
import { VALUE_FILTERS } from '../../../domain/search-names.ts';
import type { ValueFilters } from '../../../domain/search-names.ts';
import type { TenantRead } from '../connection/database.ts';
import { rowOf } from '../connection/rows.ts';
import { IS_SHOWN } from '../learnings/learning-list.ts';
import { isNotRestricted } from '../erasure/restricted.ts';

/** Number of newest sessions that are read; more if a filter leaves few rows of each. */
const SESSIONS = 4;
const SESSIONS_NARROWED = 12;
/** Rows of each kind that a session gives, and learnings in all. */
const ROWS_OF_SESSION = 8;
const LEARNINGS = 30;

/** What a value filter compares in the rows of a type; NULL if they have no such value. */
const VALUES: Readonly<Record<keyof ValueFilters, Readonly<Record<MemoryType, string>>>> = {
  kind: { observation: 'o.type', prompt: 'q.type', summary: 'coalesce(m.kind, m.type)', learning: 'l.category' },
  tool: { observation: 'o.tool', prompt: 'NULL', summary: 'NULL', learning: 'NULL' },
};
/** Parameter of the first value filter; all others precede. */
const FIRST_VALUE = 13;

/** The most recently active of the most recently started sessions. */
const sessionsOf = (whose: string) => `
      SELECT s.id FROM (
        SELECT id, last_event_at FROM sessions
         WHERE tenant_id = (SELECT current_tenant_id()) AND status <> 'deleted' AND ${isNotRestricted('id', 'user_id')} AND ${whose} AND ($1::uuid IS NULL OR project_id = $1) AND ($2::text IS NULL OR namespace = $2)
           AND ($3::uuid IS NULL OR id = $3) AND ($8::timestamptz IS NULL OR started_at <= $8) AND ($7::timestamptz IS NULL OR started_at < $7)
           AND ($6::timestamptz IS NULL OR last_event_at >= $6)
         ORDER BY id DESC LIMIT 50) AS s
       ORDER BY s.last_event_at DESC, s.id DESC LIMIT $11::integer`;

const isRequested = (type: MemoryType) =>
  [
    `($4::text[] IS NULL OR '${type}' = ANY ($4))`,
    ...VALUE_FILTERS.map(
      (name, place) => `($${FIRST_VALUE + place}::text IS NULL OR ${VALUES[name][type]} = $${FIRST_VALUE + place})`,
    ),
  ].join(' AND ');
const isThen = (at: string) =>
  `($6::timestamptz IS NULL OR ${at} >= $6) AND ($7::timestamptz IS NULL OR ${at} < $7) AND ($8::timestamptz IS NULL OR ${at} <= $8)`;
const isTagged = (tags: string) => `($5::text[] IS NULL OR ${tags} @> $5)`;
const isOf = (paths: string, text: string) => `($12::text[] IS NULL OR mentions_files(${paths}, ${text}, $12))`;
const isSeen = (owner: string) => `($9::uuid IS NULL OR ${owner} = $9)`;

/**
 * A session's rows are adjacent in its index; so are its summaries. A user who does not see the complete tenant sees only their own rows, but summaries
 * and learnings of all users: both kinds of sessions are read. Manual learnings belong to no session.
 */
const NEWEST = `
    WITH newest AS MATERIALIZED ((${sessionsOf(isSeen('user_id'))}) UNION (${sessionsOf('$9::uuid IS NOT NULL')}))
    SELECT found.id AS memory_id, found.type AS memory_type, found.kind, found.tool, found.session_id FROM (
      SELECT of_session.* FROM newest CROSS JOIN LATERAL (
        (SELECT o.id, 'observation' AS type, o.type AS kind, o.tool, o.session_id, o.occurred_at FROM observations o
          WHERE o.session_id = newest.id AND ${isRequested('observation')} AND ${isTagged('o.tags')}
            AND ${isThen('o.occurred_at')} AND ${isSeen('o.user_id')} AND ${isOf('o.files_read || o.files_modified', 'o.title')}
          ORDER BY o.seq DESC LIMIT ${ROWS_OF_SESSION})
        UNION ALL
        (SELECT q.id, 'prompt', q.type, NULL, q.session_id, q.occurred_at FROM prompts q
          WHERE q.session_id = newest.id AND ${isRequested('prompt')} AND $5::text[] IS NULL
            AND ${isThen('q.occurred_at')} AND ${isSeen('q.user_id')} AND ${isOf("'{}'", 'q.content')} ORDER BY q.seq DESC LIMIT ${ROWS_OF_SESSION})
        UNION ALL
        (SELECT m.id, 'summary', coalesce(m.kind, m.type), NULL, m.session_id, m.occurred_at FROM summaries m
          WHERE m.session_id = newest.id AND m.published AND ${isRequested('summary')} AND ${isTagged('m.tags')}
            AND ${isThen('m.occurred_at')} AND ${isOf('m.files_read || m.files_modified', 'm.title')} ORDER BY m.to_seq DESC, m.id LIMIT ${ROWS_OF_SESSION})) AS of_session
      UNION ALL
      (SELECT l.id, 'learning', l.category, NULL, l.session_id, l.valid_from FROM learnings l
        WHERE l.tenant_id = (SELECT current_tenant_id()) AND ${isRequested('learning')} AND ${isTagged('l.tags')} AND ${isThen('l.valid_from')}
          AND ($1::uuid IS NULL OR l.project_id = $1) AND ($2::text IS NULL OR l.namespace = $2) AND ($3::uuid IS NULL OR l.session_id = $3)
          AND (l.valid_to IS NULL OR l.valid_to > $8::timestamptz) AND ${IS_SHOWN}
          AND ${isNotRestricted('l.session_id', 'l.user_id')} AND ${isOf("'{}'", 'l.description')} ORDER BY l.id DESC LIMIT ${LEARNINGS})
    ) AS found
     ORDER BY found.occurred_at DESC, found.id DESC LIMIT $10::integer`;

const newestRow = rowOf({
  memory_id: z.string(),
  memory_type: z.enum(MEMORY_TYPES),
  kind: z.string(),
  tool: z.string().nullable(),
  session_id: z.string().nullable(),
});

/**
 * Returns the newest memories of the newest sessions, and the newest learnings, newest first: the meaning of "latest" if the query has few
 * other words. Scores decrease evenly from 1. Files are matched by paths and titles, not by long texts.
 */
export async function readNewest(read: TenantRead, filter: RecallFilter, limit: number): Promise<RecallHit[]> {
  const { tags, files } = filter;
  const filterValues = VALUE_FILTERS.map((name) => filter[name] ?? null);
  const isNarrowed = tags !== undefined || files !== undefined || filterValues.some((value) => value !== null);
  const values = [
    filter.projectId ?? null,
    filter.namespace ?? null,
    filter.sessionId ?? null,
    filter.types ?? null,
    tags ?? null,
    filter.since ?? null,
    filter.until ?? null,
    filter.asOf ?? null,
    filter.viewerId ?? null,
    limit,
    isNarrowed ? SESSIONS_NARROWED : SESSIONS,
    files ?? null,
    ...filterValues,
  ];
  const rows = await read({ name: 'read_newest', text: NEWEST, values });
  return z
    .array(newestRow)
    .parse(rows)
    .map((hit, place, all) => ({ ...hit, score: 1 - place / all.length }));
}
