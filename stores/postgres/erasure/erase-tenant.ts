import { z } from 'zod';
import type pg from 'pg';
import type { TenantTable } from '../exports/table-catalog.ts';
import { columnOf } from '../connection/rows.ts';

/** Rows per statement: their locks last some tenths of a second. */
const ROWS_AT_ONCE = 5_000;

/** Tables that remain: the row of the erasure has its receipt. */
const REMAINING: ReadonlySet<string> = new Set(['erasures']);

/** Closes a tenant: none of its keys opens anything any more. `maintenance` is of the maintenance role, as in all of this file. */
export async function closeTenant(maintenance: pg.Pool, tenantId: string): Promise<void> {
  await maintenance.query('UPDATE users SET active = false WHERE tenant_id = $1 AND active', [tenantId]);
}

/** Indexes that a tenant may have vectors in. */
export async function modelsOfTenant(maintenance: pg.Pool, tenantId: string): Promise<string[]> {
  const { rows } = await maintenance.query(
    `SELECT DISTINCT model FROM embeddings WHERE tenant_id = $1
     UNION SELECT DISTINCT model FROM embedding_removals WHERE tenant_id = $1
     UNION SELECT unnest(ARRAY[serving_model, target_model, retired_model]) FROM embedding_indexes WHERE tenant_id = $1`,
    [tenantId],
  );
  return columnOf(rows, 'model', z.string().nullable()).filter((model) => model !== null);
}

/**
 * Deletes every row of a tenant, children before parents, in batches, and the tenant last; returns the number by table. Repeatable after an
 * interruption.
 */
export async function eraseTenantRows(
  maintenance: pg.Pool,
  tenantId: string,
  tables: readonly TenantTable[],
  signal?: AbortSignal,
): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const jobs of ['backups', 'restores'])
    await maintenance.query(
      `UPDATE ${jobs} SET requested_by = NULL WHERE requested_by IN (SELECT id FROM users WHERE tenant_id = $1)`,
      [tenantId],
    );
  for (const { name } of tables.toReversed()) {
    if (REMAINING.has(name)) continue;
    for (;;) {
      signal?.throwIfAborted();
      const { rowCount } = await maintenance.query(
        `DELETE FROM "${name}" WHERE (tableoid, ctid) IN (SELECT tableoid, ctid FROM "${name}" WHERE tenant_id = $1 LIMIT ${ROWS_AT_ONCE})`,
        [tenantId],
      );
      if ((rowCount ?? 0) > 0) counts[name] = (counts[name] ?? 0) + (rowCount ?? 0);
      if ((rowCount ?? 0) < ROWS_AT_ONCE) break;
    }
  }
  const { rowCount } = await maintenance.query('DELETE FROM tenants WHERE id = $1', [tenantId]);
  if ((rowCount ?? 0) > 0) counts['tenants'] = rowCount ?? 0;
  return counts;
}

/** Rows that a tenant still has, by table: nothing where it was erased. */
export async function tenantRowsLeft(
  maintenance: pg.Pool,
  tenantId: string,
  tables: readonly TenantTable[],
): Promise<Readonly<Record<string, number>>> {
  const left: Record<string, number> = {};
  for (const { name } of tables) {
    if (REMAINING.has(name)) continue;
    const { rows } = await maintenance.query(
      `SELECT count(*)::integer AS n FROM (SELECT FROM "${name}" WHERE tenant_id = $1 LIMIT 1000) AS part`,
      [tenantId],
    );
    const [count = 0] = columnOf(rows, 'n', z.number());
    if (count > 0) left[name] = count;
  }
  return left;
}
