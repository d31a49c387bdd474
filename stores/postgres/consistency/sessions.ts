import type pg from 'pg';
import { FIRST_ID } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { idsOf } from '../connection/rows.ts';

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
