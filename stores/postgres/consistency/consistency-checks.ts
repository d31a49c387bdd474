import type pg from 'pg';
import { z } from 'zod';
import type { TenantId } from '../../../domain/ids.ts';
import type { CheckCounts } from '../../../workflows/consistency/types.ts';
import type { TenantRead, TenantTransaction } from '../connection/database.ts';
import { rowOf } from '../connection/rows.ts';
import { WORK_STATES } from '../../../domain/jobs.ts';

/** Retained checks of a tenant: three months of daily ones. */
const RETAINED_DAYS = 90;

/** Creates the row of a requested check, unless an equal one is running: a request can be repeated. Returns its id. */
export async function requestCheck(
  transaction: TenantTransaction,
  check: { readonly id: string; readonly tenantId: TenantId; readonly userId: string; readonly repair: boolean },
): Promise<string> {
  const running = await transaction.consistencyCheck.findFirst({
    where: { state: 'running', userId: { not: null }, repair: check.repair },
    select: { id: true },
  });
  if (running !== null) return running.id;
  await transaction.$executeRaw`
    INSERT INTO consistency_checks (id, tenant_id, user_id, repair) VALUES (${check.id}::uuid, ${check.tenantId}::uuid, ${check.userId}::uuid, ${check.repair})`;
  return check.id;
}

/** Creates the row of a scheduled check unless there is one, and deletes old ones. */
export async function openCheck(
  maintenance: pg.Pool,
  check: { readonly id: string; readonly tenantId: TenantId; readonly repair: boolean },
): Promise<void> {
  await maintenance.query(
    'INSERT INTO consistency_checks (id, tenant_id, repair) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET updated_at = now()',
    [check.id, check.tenantId, check.repair],
  );
  await maintenance.query(
    `DELETE FROM consistency_checks WHERE tenant_id = $1 AND created_at < now() - interval '${RETAINED_DAYS} days'`,
    [check.tenantId],
  );
}

/** Stores the counts of a running or completed check. */
export async function noteCheck(
  maintenance: pg.Pool,
  id: string,
  { rows, found, repaired }: CheckCounts,
  isDone: boolean,
): Promise<void> {
  await maintenance.query(
    `UPDATE consistency_checks SET rows = $2, found = $3, repaired = $4, updated_at = now(), state = CASE WHEN $5 THEN 'completed' ELSE state END,
            finished_at = CASE WHEN $5 THEN now() END WHERE id = $1 AND state = 'running'`,
    [id, rows, found, repaired, isDone],
  );
}

/** Ends a comparison that did not come to its end. */
export async function closeCheck(
  maintenance: pg.Pool,
  id: string,
  state: 'failed' | 'cancelled',
  error: string | null,
): Promise<void> {
  await maintenance.query(
    "UPDATE consistency_checks SET state = $2, error = $3, updated_at = now(), finished_at = now() WHERE id = $1 AND state = 'running'",
    [id, state, error],
  );
}

const counts = z.record(z.string(), z.number());
const checkRow = rowOf({
  id: z.string(),
  user_id: z.string().nullable(),
  state: z.enum(WORK_STATES),
  repair: z.boolean(),
  rows: z.coerce.number(),
  found: counts,
  repaired: counts,
  error: z.string().nullable(),
  created_at: z.date(),
  finished_at: z.date().nullable(),
});

/** A comparison of one tenant. */
export type StoredCheck = z.output<typeof checkRow>;

/** Comparisons of a tenant, the newest first; `id`: that one alone; `before`: older than that one. */
export async function readChecks(
  read: TenantRead,
  { id, before, limit }: { readonly id: string | null; readonly before: string | null; readonly limit: number },
): Promise<StoredCheck[]> {
  const rows = await read({
    name: 'read_checks',
    text: `SELECT id, user_id, state, repair, rows, found, repaired, error, created_at, finished_at FROM consistency_checks
            WHERE tenant_id = (SELECT current_tenant_id()) AND ($1::uuid IS NULL OR id = $1) AND ($2::uuid IS NULL OR (created_at, id) < (SELECT created_at, id FROM consistency_checks b WHERE b.id = $2))
            ORDER BY created_at DESC, id DESC LIMIT $3`,
    values: [id, before, limit],
  });
  return z.array(checkRow).parse(rows);
}

const divergenceRow = z.object({ kind: z.string(), unrepaired: z.coerce.number() });

/** Returns the differences that the last checks of all tenants found and did not repair, by kind. */
export async function readDivergence(pool: pg.Pool): Promise<ReadonlyMap<string, number>> {
  const { rows } = await pool.query('SELECT kind, unrepaired FROM index_divergence()');
  return new Map(
    z
      .array(divergenceRow)
      .parse(rows)
      .map((row) => [row.kind, row.unrepaired]),
  );
}
