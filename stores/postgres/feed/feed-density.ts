import { z } from 'zod';
import { FEED_TYPES } from '../../../domain/feed.ts';
import type { NamedRead, TenantRead } from '../connection/database.ts';
import { isoColumn } from '../connection/rows.ts';
import type { FeedFilter } from './feed.ts';
import { FEED_SOURCES, limitOf, READERS, scopeOf } from './feed-sources.ts';
import type { FeedScope, FeedSource } from './feed-sources.ts';

export interface Density extends Omit<FeedFilter, 'since' | 'until'> {
  /** RFC 3339. */
  readonly since: string;
  readonly until: string;
  readonly bucketSeconds: number;
  /** Number of buckets from `since` on. */
  readonly buckets: number;
}

/** Items of each source that one density counts at most, over all buckets, and in one bucket at least: the cost has a bound, whatever the number of rows. */
const COUNTED = 200_000;
const LEAST_COUNTED = 100;

/** Returns up to which number the items of one bucket and source are counted. */
function countedPerBucket(buckets: number): number {
  return Math.max(LEAST_COUNTED, Math.floor(COUNTED / buckets));
}

/** The columns of an index are all that it reads of private sources: PostgreSQL reads no rows of vacuumed pages. */
function countText(source: FeedSource, scope: FeedScope): string {
  const { type, from, at, session, where } = source;
  const { condition, isJoined, isByReader } = limitOf(source, scope, { session: '$6', project: '$7' });
  const rows = isByReader ? `${READERS} AS reader JOIN ${from} r ON r.user_id = reader.id` : `${from} r`;
  return `
      SELECT '${type}' AS type, b.at, c.count, c.count >= $9::integer AS is_capped FROM buckets b CROSS JOIN LATERAL (
        SELECT count(*) AS count FROM (
          SELECT FROM ${rows}${isJoined ? ` JOIN sessions s ON s.id = ${session} AND s.project_id = $7::uuid` : ''}
           WHERE '${type}' = ANY ($1::text[]) AND ${where}${condition} AND ${at} >= b.at AND ${at} < least(b.until, $4::timestamptz) LIMIT $9::integer) AS x) AS c
       WHERE c.count > 0`;
}

function densityText(scope: FeedScope): string {
  return `
    WITH buckets AS (
      SELECT $3::timestamptz + n * width AS at, $3::timestamptz + (n + 1) * width AS until
        FROM make_interval(secs => $5::double precision) AS width, generate_series(0, $8::integer - 1) AS n)
    SELECT type, at, sum(count)::integer AS count, bool_or(is_capped) AS is_capped
      FROM (${FEED_SOURCES.map((source) => `(${countText(source, scope)})`).join(' UNION ALL ')}) AS counted
     WHERE ($2::uuid IS NULL OR true) AND ($6::uuid IS NULL OR true) AND ($7::uuid IS NULL OR true)
     GROUP BY type, at ORDER BY at, type`;
}

const TEXTS: Readonly<Record<FeedScope, string>> = {
  all: densityText('all'),
  project: densityText('project'),
  session: densityText('session'),
};

/** Returns the statement of a density. */
export function densityStatement(query: Density): NamedRead {
  const { types, viewerId, projectId, sessionId, since, until, bucketSeconds, buckets } = query;
  const scope = scopeOf(query);
  const ids = [sessionId ?? null, projectId ?? null];
  const values = [
    [...types],
    viewerId ?? null,
    since,
    until,
    bucketSeconds,
    ...ids,
    buckets,
    countedPerBucket(buckets),
  ];
  return { name: `feed_density_${scope}`, text: TEXTS[scope], values };
}

const countRow = z.object({ type: z.enum(FEED_TYPES), at: isoColumn, count: z.number(), is_capped: z.boolean() });

/** Returns the numbers of items by the start of their bucket and type, oldest first; empty buckets are omitted. `is_capped`: there are at least as many. */
export async function readDensity(read: TenantRead, query: Density): Promise<z.output<typeof countRow>[]> {
  return z.array(countRow).parse(await read(densityStatement(query)));
}
