import { z } from 'zod';
import type { TenantRead } from '../connection/database.ts';
import type { UsageGroup } from '../../../domain/jobs.ts';

/** Scope of a report: a tenant, or one user of it; times as RFC 3339, `until` exclusive. */
export interface UsageScope {
  readonly userId: string | null;
  readonly since: string;
  readonly until: string;
}

const sums = {
  calls: z.coerce.number(),
  cache_hits: z.coerce.number(),
  batch_calls: z.coerce.number(),
  input_tokens: z.coerce.number(),
  output_tokens: z.coerce.number(),
  tokens_cached: z.coerce.number(),
  tokens_cache_written: z.coerce.number(),
  tokens_batch: z.coerce.number(),
  usd: z.coerce.number(),
  latency_ms: z.coerce.number().nullable(),
};
const totalRow = z.object(sums);
const groupRow = totalRow.extend({
  key: z.string().nullable(),
  name: z.string().nullable(),
  /** UTC day, if the report is by day. */
  day: z.string().nullable(),
});
/** The place of a key among all, by cost, from 1 on. */
const placedRow = groupRow.extend({ place: z.coerce.number() });

/** Sums over calls: `calls` are those that were made, `latency_ms` their mean. Tokens in hold those that were cached and cache-written. */
export type UsageSums = z.output<typeof totalRow>;
export type UsageGroupRow = z.output<typeof groupRow>;

const SUMS = `count(*) FILTER (WHERE NOT l.cache_hit) AS calls, count(*) FILTER (WHERE l.cache_hit) AS cache_hits, count(*) FILTER (WHERE l.batch) AS batch_calls,
  coalesce(sum(l.input_tokens), 0) AS input_tokens, coalesce(sum(l.output_tokens), 0) AS output_tokens, coalesce(sum(l.tokens_cached), 0) AS tokens_cached,
  coalesce(sum(l.tokens_cache_written), 0) AS tokens_cache_written, coalesce(sum(l.input_tokens + l.output_tokens) FILTER (WHERE l.batch), 0) AS tokens_batch,
  coalesce(sum(l.cost_usd), 0) AS usd, round(avg(l.latency_ms) FILTER (WHERE NOT l.cache_hit)) AS latency_ms`;

/**
 * The condition for usage rows in a time range. The id bounds exclude partitions of other months; a day of slack allows for clock differences,
 * because workers create the ids and the database the times.
 */
const RANGE = `l.tenant_id = (SELECT current_tenant_id()) AND l.created_at >= $2::timestamptz AND l.created_at < $3::timestamptz
  AND l.id >= (lpad(to_hex((extract(epoch FROM $2::timestamptz - interval '1 day') * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
  AND l.id < (lpad(to_hex((extract(epoch FROM $3::timestamptz + interval '1 day') * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid`;

/** Rows of one user or of all. Separate statements, so that each plan uses its own index. */
function ofUser(userId: string | null, column = 'l.user_id'): string {
  return userId === null ? '$1::uuid IS NULL' : `${column} = $1::uuid`;
}

/** Name of the prepared statement. */
function named(name: string, userId: string | null): string {
  return userId === null ? name : `${name}_of_user`;
}

/** Grouping expression and its join. Ids are joined after summing: one look-up per group. */
const KEYS: Readonly<
  Record<UsageGroup, { readonly key: string; readonly join: string; readonly name: string; readonly names: string }>
> = {
  user: { key: 'l.user_id', join: '', name: 'n.username', names: 'LEFT JOIN users n ON n.id = g.key' },
  provider: { key: 'l.provider', join: '', name: 'g.key', names: '' },
  model: { key: 'l.model', join: '', name: 'g.key', names: '' },
  operation: { key: 'l.operation', join: '', name: 'g.key', names: '' },
  day: { key: "to_char(l.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')", join: '', name: 'g.key', names: '' },
  project: {
    key: 's.project_id',
    join: 'LEFT JOIN sessions s ON s.id = l.session_id',
    name: 'n.display_name',
    names: 'LEFT JOIN projects n ON n.id = g.key',
  },
  session: {
    key: 'l.session_id',
    join: '',
    name: "coalesce(n.title, n.host || ':' || n.external_id)",
    names: 'LEFT JOIN sessions n ON n.id = g.key',
  },
};

/** Sums over everything in the scope. */
export async function readUsageTotals(read: TenantRead, scope: UsageScope): Promise<UsageSums> {
  const rows = await read({
    name: named('usage_totals', scope.userId),
    text: `SELECT ${SUMS} FROM usage_ledger l WHERE ${RANGE} AND ${ofUser(scope.userId)}`,
    values: [scope.userId, scope.since, scope.until],
  });
  const [total] = z.tuple([totalRow]).parse(rows);
  return total;
}

interface GroupQuery {
  readonly group: UsageGroup;
  /** Each group once per UTC day. */
  readonly byDay: boolean;
  /** Maximum number of keys. */
  readonly limit: number;
}

/**
 * Sums by group: days in order, all others by what they cost, then by tokens; by day, in the order of days, those keys that cost most in the range. A group
 * without a key is of sessions without a project. `isCut`: there are more keys than `limit`.
 */
export async function readUsageGroups(
  read: TenantRead,
  scope: UsageScope,
  { group, byDay, limit }: GroupQuery,
): Promise<{ readonly rows: UsageGroupRow[]; readonly isCut: boolean }> {
  const { key, join, name, names } = KEYS[group];
  const place = group === 'day' ? 'w.key' : 'w.key_usd DESC, w.key_tokens DESC, w.key';
  const rows = await read({
    name: named(`usage_by_${group}${byDay ? '_and_day' : ''}`, scope.userId),
    text: `WITH sums AS (
             SELECT ${key} AS key, ${byDay ? KEYS.day.key : 'NULL::text'} AS day, ${SUMS}
               FROM usage_ledger l ${join} WHERE ${RANGE} AND ${ofUser(scope.userId)} GROUP BY 1, 2),
           weighed AS (
             SELECT s.*, sum(s.usd) OVER one AS key_usd, sum(s.input_tokens + s.output_tokens) OVER one AS key_tokens FROM sums s WINDOW one AS (PARTITION BY s.key)),
           placed AS (SELECT w.*, dense_rank() OVER (ORDER BY ${place}) AS place FROM weighed w)
           SELECT g.*, g.key::text AS key, ${name} AS name FROM placed g ${names} WHERE g.place <= $4 + 1 ORDER BY g.day, g.place`,
    values: [scope.userId, scope.since, scope.until, limit],
  });
  const found = z.array(placedRow).parse(rows);
  return {
    rows: found.filter((row) => row.place <= limit).map(({ place: _place, ...row }) => row),
    isCut: found.some((row) => row.place > limit),
  };
}

const dayRow = z.object({ day: z.string(), tokens: z.coerce.number(), usd: z.coerce.number() });
export type UsageDay = z.output<typeof dayRow>;

/** Tokens and dollars of the UTC days in which something was booked, in order. */
export async function readUsageDays(read: TenantRead, scope: UsageScope): Promise<UsageDay[]> {
  const rows = await read({
    name: named('usage_days', scope.userId),
    text: `SELECT ${KEYS.day.key} AS day, sum(l.input_tokens + l.output_tokens) AS tokens, sum(l.cost_usd) AS usd FROM usage_ledger l WHERE ${RANGE} AND ${ofUser(scope.userId)} GROUP BY 1 ORDER BY 1`,
    values: [scope.userId, scope.since, scope.until],
  });
  return z.array(dayRow).parse(rows);
}

/** UTC day of the first recorded call; null for none. Distinguishes days without calls from days before the first one. */
export async function firstUsageDay(read: TenantRead, userId: string | null): Promise<string | null> {
  const rows = await read({
    name: named('usage_first_day', userId),
    text: `SELECT to_char(min(first.at) AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day FROM (
             SELECT l.created_at AS at FROM usage_ledger l WHERE l.tenant_id = (SELECT current_tenant_id()) AND ${ofUser(userId)}
              ORDER BY l.created_at LIMIT 1) AS first`,
    values: [userId],
  });
  return z.array(z.object({ day: z.string().nullable() })).parse(rows)[0]?.day ?? null;
}

const alertRow = z.object({
  type: z.enum(['budget_threshold']),
  day: z.string(),
  user_id: z.string(),
  username: z.string(),
  details: z.object({ used_tokens: z.number(), quota_tokens: z.number(), share: z.number() }),
  created_at: z.date(),
});
export type UsageAlert = z.output<typeof alertRow>;

const MAX_ALERTS = 100;

/** Alerts in the scope, newest first, at most 100. */
export async function readUsageAlerts(read: TenantRead, scope: UsageScope): Promise<UsageAlert[]> {
  const rows = await read({
    name: named('usage_alerts', scope.userId),
    text: `SELECT a.type, to_char(a.day, 'YYYY-MM-DD') AS day, a.user_id, u.username, a.details, a.created_at
             FROM system_alerts a JOIN users u ON u.id = a.user_id
            WHERE a.tenant_id = (SELECT current_tenant_id()) AND a.type = 'budget_threshold' AND ${ofUser(scope.userId, 'a.user_id')} AND a.created_at >= $2::timestamptz AND a.created_at < $3::timestamptz
            ORDER BY a.id DESC LIMIT ${MAX_ALERTS}`,
    values: [scope.userId, scope.since, scope.until],
  });
  return z.array(alertRow).parse(rows);
}
