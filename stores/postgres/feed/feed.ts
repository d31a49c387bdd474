import { z } from 'zod';
import { FEED_LEVELS } from '../../../domain/feed.ts';
import type { FeedType } from '../../../domain/feed.ts';
import type { NamedRead, TenantRead } from '../connection/database.ts';
import { rowOf } from '../connection/rows.ts';
import { FEED_SCOPES, FEED_SOURCES, limitOf, READERS, scopeOf } from './feed-sources.ts';
import type { FeedScope, FeedSource } from './feed-sources.ts';

/** Position of an item in the feed. */
export interface FeedPlace {
  /** RFC 3339, to the microsecond. */
  readonly at: string;
  readonly id: string;
  readonly n: number;
}

export interface FeedFilter {
  readonly types: readonly FeedType[];
  /** User whose private rows may be shown; undefined: an admin, who sees all. */
  readonly viewerId: string | undefined;
  readonly projectId: string | undefined;
  readonly sessionId: string | undefined;
  /** RFC 3339. */
  readonly since: string | undefined;
  /** Exclusive. */
  readonly until: string | undefined;
}

export type FeedSide = 'older' | 'newer';
const ORDER = { older: { than: '<', by: 'DESC' }, newer: { than: '>', by: 'ASC' } } as const;

/** Most items of a page. A literal: PostgreSQL plans a limit that it does not know for a tenth of the table. */
const MAX_PAGE = 100;
/** Rows of each private source (and user) that one page of a project examines: of a project with few rows among many a page is short, and leads on. */
const EXAMINED = 5_000;
const MAX_PREVIEW = 400;

/** Returns the rows of a source on one side of a place, nearest first. `matches` is false for a row that only marks how far was read. */
function sourceText(source: FeedSource, scope: FeedScope, side: FeedSide): string {
  const { than, by } = ORDER[side];
  const { n, from, at, session } = source;
  const { condition, isJoined, isByReader } = limitOf(source, scope, { session: '$8', project: '$9' });
  const rows = `
      SELECT ${at} AS at, r.id, ${session} AS session_id FROM ${from} r
       WHERE '${source.type}' = ANY ($1::text[]) AND ${source.where}${condition}${isByReader ? ' AND r.user_id = reader.id' : ''}
         AND ${at} >= $6::timestamptz AND ${at} < $7::timestamptz
         AND ${at} ${than}= $3::timestamptz AND (${at}, r.id, ${n}) ${than} ($3::timestamptz, $4::uuid, $5::integer)
       ORDER BY ${at} ${by}, r.id ${by} LIMIT ${isJoined ? EXAMINED : MAX_PAGE + 1}`;
  const examined = isJoined
    ? `SELECT e.at, e.id, e.session_id, s.id IS NOT NULL AS matches, e.place = ${EXAMINED} AS is_last
         FROM (SELECT x.*, row_number() OVER (ORDER BY x.at ${by}, x.id ${by}) AS place FROM (${rows}) AS x) AS e
         LEFT JOIN sessions s ON s.id = e.session_id AND s.project_id = $9::uuid
        WHERE s.id IS NOT NULL OR e.place = ${EXAMINED}
        ORDER BY e.at ${by}, e.id ${by} LIMIT ${MAX_PAGE + 1}`
    : `SELECT x.*, true AS matches, false AS is_last FROM (${rows}) AS x`;
  return isByReader
    ? `SELECT x.*, ${n} AS n FROM ${READERS} AS reader CROSS JOIN LATERAL (${examined}) AS x`
    : `SELECT x.*, ${n} AS n FROM (${examined}) AS x`;
}

/** One statement: merges the nearest rows of every source, and reads what is shown of those of the page. */
function feedText(scope: FeedScope, side: FeedSide): string {
  const { by } = ORDER[side];
  const order = (alias: string) => `${alias}at ${by}, ${alias}id ${by}, ${alias}n ${by}`;
  const only = (n: number) => `CASE WHEN f.n = ${n} THEN f.id END`;
  return `
    SELECT f.n, f.id, f.at AS occurred_at, to_char(f.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at,
           f.matches AND (s.id IS NOT NULL OR f.session_id IS NULL) AS is_shown, f.is_last, f.session_id, s.title AS session_title,
           p.id AS project_id, p.display_name AS project_name, o.tool,
           CASE f.n WHEN 1 THEN 'started' WHEN 6 THEN 'ended' ELSE coalesce(q.type, o.type, u.kind, u.type, l.category, '') END AS kind,
           CASE WHEN f.n IN (1, 6) THEN coalesce(s.title, '') ELSE coalesce(o.title, u.title, l.title, '') END AS title,
           coalesce(left(q.content, ${MAX_PREVIEW}), o.preview, left(u.content, ${MAX_PREVIEW}), left(l.description, ${MAX_PREVIEW}), '') AS preview,
           CASE WHEN o.type IN ('error', 'warning') THEN o.type WHEN f.n = 6 AND s.last_error IS NOT NULL THEN 'warning' ELSE 'info' END AS level
      FROM (SELECT * FROM (${FEED_SOURCES.map((source) => `(${sourceText(source, scope, side)})`).join(' UNION ALL ')}) AS merged
             -- Unused parameters are named once, so that PostgreSQL knows their types.
             WHERE ($2::uuid IS NULL OR true) AND ($8::uuid IS NULL OR true) AND ($9::uuid IS NULL OR true)
             ORDER BY ${order('')} LIMIT $10::integer) AS f
      LEFT JOIN prompts q ON q.id = ${only(2)}
      LEFT JOIN observations o ON o.id = ${only(3)}
      LEFT JOIN summaries u ON u.id = ${only(4)}
      LEFT JOIN learnings l ON l.id = ${only(5)}
      LEFT JOIN sessions s ON s.id = f.session_id AND s.status <> 'deleted'
      LEFT JOIN projects p ON p.id = coalesce(l.project_id, u.project_id, s.project_id)
     ORDER BY ${order('f.')}`;
}

const TEXTS: ReadonlyMap<string, string> = new Map(
  FEED_SCOPES.flatMap((scope) =>
    (['older', 'newer'] as const).map((side) => [`feed_${scope}_${side}`, feedText(scope, side)] as const),
  ),
);

/** Before or after every item. */
const EDGES = {
  older: { at: 'infinity', id: 'ffffffff-ffff-ffff-ffff-ffffffffffff', n: 9 },
  newer: { at: '-infinity', id: '00000000-0000-0000-0000-000000000000', n: 0 },
} as const;

/** Returns the statement of a page with one row more than `limit`. */
export function feedStatement(filter: FeedFilter, side: FeedSide, place: FeedPlace | null, limit: number): NamedRead {
  const { types, viewerId, projectId, sessionId, since, until } = filter;
  const name = `feed_${scopeOf(filter)}_${side}`;
  const { at, id, n } = place ?? EDGES[side];
  const range = [since ?? '-infinity', until ?? 'infinity'];
  const ids = [sessionId ?? null, projectId ?? null];
  const values = [[...types], viewerId ?? null, at, id, n, ...range, ...ids, limit + 1];
  return { name, text: TEXTS.get(name) ?? '', values };
}

const feedRow = rowOf({
  n: z.number(),
  id: z.string(),
  at: z.string(),
  occurred_at: z.date(),
  is_shown: z.boolean(),
  is_last: z.boolean(),
  session_id: z.string().nullable(),
  session_title: z.string().nullable(),
  project_id: z.string().nullable(),
  project_name: z.string().nullable(),
  tool: z.string().nullable(),
  kind: z.string(),
  title: z.string(),
  preview: z.string(),
  level: z.enum(FEED_LEVELS),
});

type FeedRow = z.output<typeof feedRow>;
export type FeedItem = FeedRow & { readonly type: FeedType };

export interface FeedPage {
  /** Newest first. */
  readonly items: readonly FeedItem[];
  /** The nearest place that was read, and the farthest; null if nothing was. */
  readonly first: FeedPlace | null;
  readonly last: FeedPlace | null;
  /** Whether items may follow behind `last`. */
  readonly hasMore: boolean;
}

const TYPES = new Map(FEED_SOURCES.map(({ n, type }) => [n, type]));

/**
 * Returns a page of the feed on one side of a place, or from the edge. A session limits it, else a project. Its cost does not depend on the number of rows: each
 * source gives its nearest rows by an index. Rows of a session are sorted, all of them.
 */
export async function readFeed(
  read: TenantRead,
  filter: FeedFilter,
  { side, place, limit }: { readonly side: FeedSide; readonly place: FeedPlace | null; readonly limit: number },
): Promise<FeedPage> {
  const rows = z.array(feedRow).parse(await read(feedStatement(filter, side, place, limit)));
  // Behind the last examined row of a source the order of all is unknown.
  const horizon = rows.findIndex((row) => row.isLast);
  const used = rows.slice(0, horizon === -1 ? limit : Math.min(limit, horizon + 1));
  const items = used.flatMap((row) => {
    const type = TYPES.get(row.n);
    return row.isShown && type !== undefined ? [{ ...row, type }] : [];
  });
  return {
    items: side === 'older' ? items : items.toReversed(),
    first: used[0] ?? null,
    last: used.at(-1) ?? null,
    hasMore: rows.length > used.length || horizon !== -1,
  };
}
