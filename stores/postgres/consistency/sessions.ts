import type pg from 'pg';
import { FIRST_ID } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { idsOf } from '../connection/rows.ts';
import { z } from 'zod';

/**
 * Sessions whose counts of prompts or observations are wrong. A count is right if it matches the rows, or the keys, which also cover rows that retention
 * deleted. Archived sessions are not checked. One statement sees one snapshot, so that a running capture is in all counts or in none.
 */
const WRONG = `
  SELECT s.id, s.last_seq, k.prompts, k.observations
    FROM sessions s
   CROSS JOIN LATERAL (SELECT count(*) AS n FROM prompts WHERE session_id = s.id) AS p
   CROSS JOIN LATERAL (SELECT count(*) AS n FROM observations WHERE session_id = s.id) AS o
   CROSS JOIN LATERAL (SELECT count(DISTINCT row_id) FILTER (WHERE kind = 'prompt') AS prompts, count(DISTINCT row_id) FILTER (WHERE kind = 'observation') AS observations
                         FROM capture_keys WHERE session_id = s.id) AS k
   WHERE s.id = ANY ($1::uuid[]) AND s.status <> 'deleted' AND NOT EXISTS (SELECT FROM archives a WHERE a.session_id = s.id)
     AND (s.prompt_count NOT IN (p.n, k.prompts) OR s.observation_count NOT IN (o.n, k.observations))`;

const wrongRow = z.object({
  id: z.string(),
  last_seq: z.number(),
  prompts: z.coerce.number(),
  observations: z.coerce.number(),
});
type WrongCount = z.output<typeof wrongRow>;

/** Returns those of these sessions whose counts are wrong, with the correct counts: captured and not forgotten rows. */
export async function wrongCounts(maintenance: pg.Pool, sessionIds: readonly string[]): Promise<WrongCount[]> {
  const { rows } = await maintenance.query(WRONG, [sessionIds]);
  return z.array(wrongRow).parse(rows);
}

/** Corrects the counts of sessions; returns the number of corrected ones. Sessions with new captures are left to the next check. */
export async function repairCounts(maintenance: pg.Pool, wrong: readonly WrongCount[]): Promise<number> {
  const result = await maintenance.query(
    `UPDATE sessions s SET prompt_count = w.prompts, observation_count = w.observations
       FROM jsonb_to_recordset($1::jsonb) AS w(id uuid, last_seq integer, prompts integer, observations integer) WHERE s.id = w.id AND s.last_seq = w.last_seq`,
    [JSON.stringify(wrong)],
  );
  return result.rowCount ?? 0;
}

/** Recent captures and steps have a pending hint, or lost one that the sweep repeats within a minute. */
const IS_OPEN = `status = 'active' AND phase <> 'cancelled' AND greatest(last_event_at, updated_at) < now() - interval '3 minutes'`;
const PAGE = 1_000;
const SESSIONS_OF_ROWS = 200;

/** Pages through the ids of a tenant's sessions that fulfil a condition. */
async function* pagesWhere(
  maintenance: pg.Pool,
  tenantId: TenantId,
  condition: string,
  size: number,
): AsyncGenerator<readonly string[]> {
  let after = FIRST_ID;
  for (;;) {
    const { rows } = await maintenance.query(
      `SELECT id FROM sessions WHERE tenant_id = $1 AND id > $2 AND ${condition} ORDER BY id LIMIT $3`,
      [tenantId, after, size],
    );
    const ids = idsOf(rows);
    if (ids.length > 0) yield ids;
    if (ids.length < size) return;
    after = ids.at(-1) ?? after;
  }
}

/** Pages of the sessions that must have a workflow. */
export function openSessions(maintenance: pg.Pool, tenantId: TenantId): AsyncGenerator<readonly string[]> {
  return pagesWhere(maintenance, tenantId, IS_OPEN, PAGE);
}

/** Pages of all sessions of a tenant, small enough for a statement over their rows. */
export function sessionPages(maintenance: pg.Pool, tenantId: TenantId): AsyncGenerator<readonly string[]> {
  return pagesWhere(maintenance, tenantId, 'true', SESSIONS_OF_ROWS);
}

/** Returns those of the sessions that are still open. */
export async function stillOpen(maintenance: pg.Pool, sessionIds: readonly string[]): Promise<string[]> {
  const { rows } = await maintenance.query(`SELECT id FROM sessions WHERE id = ANY ($1::uuid[]) AND ${IS_OPEN}`, [
    sessionIds,
  ]);
  return idsOf(rows);
}

/** Returns those of the ids that are sessions of the tenant. */
export async function knownSessions(
  maintenance: pg.Pool,
  tenantId: TenantId,
  sessionIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await maintenance.query('SELECT id FROM sessions WHERE tenant_id = $1 AND id = ANY ($2::uuid[])', [
    tenantId,
    sessionIds,
  ]);
  return new Set(idsOf(rows));
}
