import type pg from 'pg';
import { HOUSEKEEPING_DAYS } from '../../../domain/retention/policy.ts';
import type { Retained } from '../../../domain/retention/policy.ts';

/** The smallest id that was made so long ago: ids are ordered by the time of their making, so that the primary key is walked along. */
function idBefore(age: string): string {
  return `(lpad(to_hex((extract(epoch FROM now() - interval '${age}') * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid`;
}

/**
 * Returns the SQL condition for rows `r` of a kind that expire by default: no policy of the tenant covers the kind, and no legal hold protects them.
 */
function byDefault(resource: Retained, holders: string): string {
  return `NOT EXISTS (SELECT FROM retention_policies o WHERE o.tenant_id = r.tenant_id AND o.resource = '${resource}')
         AND NOT EXISTS (SELECT FROM legal_holds h WHERE h.tenant_id = r.tenant_id AND h.released_at IS NULL AND (h.subject = 'tenant' OR h.subject_id IN (${holders})))`;
}
const days = (kind: keyof typeof HOUSEKEEPING_DAYS): string => `${HOUSEKEEPING_DAYS[kind]} days`;

/** Expired technical rows, each with the statement that deletes at most `$1` of them. Locked rows are left to the next run. */
const SWEEPS = {
  // Deletes their feedback too; the use weight is stored in the memory. Contexts of the current day remain:
  // they determine today's results.
  contexts: `
    DELETE FROM contexts WHERE id IN (
      SELECT r.id FROM contexts r
       WHERE r.id < ${idBefore(days('context'))}
         AND NOT EXISTS (SELECT FROM memory_uses u WHERE u.context_id = r.id AND u.created_at > now() - interval '2 days')
         AND ${byDefault('context', 'r.session_id, r.user_id, r.project_id')}
       ORDER BY r.id LIMIT $1 FOR UPDATE SKIP LOCKED)`,
  system_alerts: `
    DELETE FROM system_alerts WHERE id IN (
      SELECT r.id FROM system_alerts r WHERE r.id < ${idBefore(days('alert'))} AND ${byDefault('alert', 'r.user_id')} ORDER BY r.id LIMIT $1 FOR UPDATE SKIP LOCKED)`,
  imports: `
    DELETE FROM imports WHERE id IN (
      SELECT r.id FROM imports r WHERE r.id < ${idBefore(days('import'))} AND r.state <> 'running' AND ${byDefault('import', 'r.user_id')}
       ORDER BY r.id LIMIT $1 FOR UPDATE SKIP LOCKED)`,
  // A tombstone outlives every backup that could bring back what it names.
  tombstones: `
    DELETE FROM tombstones WHERE ctid = ANY (ARRAY(
      SELECT r.ctid FROM tombstones r WHERE r.created_at < now() - interval '${days('tombstone')}' AND ${byDefault('tombstone', 'NULL')} LIMIT $1 FOR UPDATE SKIP LOCKED))`,
  excluded_sessions: `
    DELETE FROM excluded_sessions WHERE ctid = ANY (ARRAY(
      SELECT r.ctid FROM excluded_sessions r WHERE r.created_at < now() - interval '${days('excluded_session')}' AND ${byDefault('excluded_session', 'NULL')} LIMIT $1 FOR UPDATE SKIP LOCKED))`,
  trace_marks: `
    DELETE FROM trace_marks WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM trace_marks WHERE created_at < now() - interval '7 days' LIMIT $1 FOR UPDATE SKIP LOCKED))`,
  project_glossaries: `
    DELETE FROM project_glossaries WHERE (project_id, day) IN (
      SELECT project_id, day FROM project_glossaries WHERE day < (now() AT TIME ZONE 'UTC')::date - 7 LIMIT $1 FOR UPDATE SKIP LOCKED)`,
  usage_reservations: `
    DELETE FROM usage_reservations WHERE id IN (
      SELECT id FROM usage_reservations WHERE expires_at < now() LIMIT $1 FOR UPDATE SKIP LOCKED)`,
  rate_limits: `
    DELETE FROM rate_limits WHERE bucket IN (SELECT bucket FROM rate_limits WHERE ends_at < now() LIMIT $1 FOR UPDATE SKIP LOCKED)`,
  // Deletes their refresh tokens too: they are refused like unknown ones.
  user_sessions: `
    DELETE FROM user_sessions WHERE id IN (
      SELECT id FROM user_sessions WHERE least(ended_at, expires_at) < now() - interval '1 day' LIMIT $1 FOR UPDATE SKIP LOCKED)`,
  auth_attempts: `
    DELETE FROM auth_attempts WHERE bucket IN (
      SELECT bucket FROM auth_attempts WHERE greatest(last_at, locked_until) < now() - interval '1 day' LIMIT $1 FOR UPDATE SKIP LOCKED)`,
  // A token lasts for minutes, and a key signs for 30 days.
  signing_keys: `
    DELETE FROM signing_keys WHERE id IN (
      SELECT id FROM signing_keys WHERE created_at < now() - interval '40 days' LIMIT $1 FOR UPDATE SKIP LOCKED)`,
  // With their tokens. Users see an ended grant for a quarter.
  oauth_grants: `
    DELETE FROM oauth_grants WHERE id IN (
      SELECT id FROM oauth_grants WHERE least(ended_at, expires_at) < now() - interval '90 days' LIMIT $1 FOR UPDATE SKIP LOCKED)`,
  // A used refresh token remains until then: its second use ends the grant.
  oauth_payloads: `
    DELETE FROM oauth_payloads WHERE (model, id_sha256) IN (
      SELECT model, id_sha256 FROM oauth_payloads WHERE expires_at < now() LIMIT $1 FOR UPDATE SKIP LOCKED)`,
  auth_challenges: `
    DELETE FROM auth_challenges WHERE challenge_sha256 IN (SELECT challenge_sha256 FROM auth_challenges WHERE expires_at <= now() LIMIT $1 FOR UPDATE SKIP LOCKED)`,
  // By tenant, as the index is: no scan.
  model_response_cache: `
    DELETE FROM model_response_cache WHERE id IN (
      SELECT a.id FROM tenants t
       CROSS JOIN LATERAL (SELECT id FROM model_response_cache WHERE tenant_id = t.id AND expires_at < now() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED) AS a
       LIMIT $1)`,
} as const;

export type SweptTable = keyof typeof SWEEPS;
/** Rows that anybody can cause without a key: they do not wait for the daily run. */
const OF_STRANGERS = ['oauth_payloads', 'auth_challenges'] as const satisfies readonly SweptTable[];
const TABLES = Object.keys(SWEEPS).filter((table): table is SweptTable => table in SWEEPS);

/** Rows of one statement: what it locks is locked for some milliseconds. */
const BATCH = 1_000;
/** Time per table: the next day's run continues. */
const LONGEST_MS = 6_000;

/**
 * Deletes all but the newest `entries` cached vectors of each tenant; returns the number deleted. Runs some seconds at most: the next day's
 * run continues.
 */
export async function pruneEmbeddingCache(
  maintenance: pg.Pool,
  entries: number,
  batch = BATCH,
  longestMs = LONGEST_MS,
): Promise<number> {
  const deadline = performance.now() + longestMs;
  let pruned = 0;
  for (;;) {
    const { rowCount } = await maintenance.query(
      `DELETE FROM embedding_cache WHERE (tenant_id, model, content_hash) IN (
         SELECT c.tenant_id, c.model, c.content_hash FROM tenants t
          CROSS JOIN LATERAL (SELECT * FROM embedding_cache WHERE tenant_id = t.id ORDER BY created_at DESC OFFSET $2 LIMIT $1) AS c LIMIT $1)`,
      [batch, entries],
    );
    pruned += rowCount ?? 0;
    if ((rowCount ?? 0) < batch || performance.now() > deadline) return pruned;
  }
}

/** Deletes expired technical rows of all tenants, in batches and for at most half a minute; returns the numbers by table. */
export async function sweepOld(
  maintenance: pg.Pool,
  batch = BATCH,
  longestMs = LONGEST_MS,
  tables: readonly SweptTable[] = TABLES,
): Promise<ReadonlyMap<SweptTable, number>> {
  const swept = new Map<SweptTable, number>();
  for (const table of tables) {
    const deadline = performance.now() + longestMs;
    let rows = 0;
    for (;;) {
      const { rowCount } = await maintenance.query(SWEEPS[table], [batch]);
      rows += rowCount ?? 0;
      if ((rowCount ?? 0) < batch || performance.now() > deadline) break;
    }
    swept.set(table, rows);
  }
  return swept;
}

/** Deletes expired log-ins and authorizations, which anybody can start; returns the numbers by table. */
export function sweepStarted(maintenance: pg.Pool): Promise<ReadonlyMap<SweptTable, number>> {
  return sweepOld(maintenance, BATCH, LONGEST_MS, OF_STRANGERS);
}
