import type pg from 'pg';
import { z } from 'zod';
import type { TenantTransaction } from '../connection/database.ts';
import { LONG_TEXT_SQL, fullValueNotesSql } from '../capture/full-values.ts';
import { columnOf } from '../connection/rows.ts';

/** Returns the SQL statement that marks full values as expired: `pairs` is a query of tenants and hashes. */
export function expireValuesSql(pairs: string): string {
  return `INSERT INTO expired_full_values (tenant_id, sha256) SELECT DISTINCT * FROM (${pairs}) AS pairs ON CONFLICT DO NOTHING`;
}

/** Marks full values of a tenant as expired. */
export async function expireValues(transaction: TenantTransaction, hashes: readonly string[]): Promise<void> {
  if (hashes.length > 0)
    await transaction.$executeRawUnsafe(expireValuesSql('SELECT current_tenant_id(), unnest($1::text[])'), hashes);
}

/** An expired full value. */
export interface ExpiredValue {
  readonly tenant: string;
  readonly sha256: string;
}

const valueRows = z.array(z.object({ tenant: z.string(), sha256: z.string() }));

/** Returns the next expired full values, of one tenant, after the given one; at most `limit`. */
export async function expiredFullValues(
  maintenance: pg.Pool,
  after: ExpiredValue | null,
  limit: number,
): Promise<ExpiredValue[]> {
  const { rows } = await maintenance.query(
    `WITH next AS (SELECT tenant_id FROM expired_full_values WHERE $1::uuid IS NULL OR (tenant_id, sha256) > ($1, $2) ORDER BY tenant_id LIMIT 1)
     SELECT e.tenant_id AS tenant, e.sha256 FROM expired_full_values e JOIN next n ON n.tenant_id = e.tenant_id
      WHERE $1::uuid IS NULL OR (e.tenant_id, e.sha256) > ($1, $2) ORDER BY e.sha256 LIMIT $3`,
    [after?.tenant ?? null, after?.sha256 ?? null, limit],
  );
  return valueRows.parse(rows);
}

/**
 * Returns the SQL query of those of some full values that a row or an archive of a tenant names. Reads the long texts of the tenant's rows: no index lists
 * their full values, because almost none have one.
 */
function namedValuesSql(tenant: string, hashes: string, besides: string): string {
  return `
       SELECT note[1] AS sha256 FROM (
         SELECT ${LONG_TEXT_SQL.observation} AS body FROM observations r WHERE r.tenant_id = ${tenant}
         UNION ALL SELECT ${LONG_TEXT_SQL.prompt} FROM prompts r WHERE r.tenant_id = ${tenant}) AS r
        CROSS JOIN LATERAL ${fullValueNotesSql('r.body')} AS note WHERE r.body IS NOT NULL AND note[1] = ANY (${hashes}::text[])
       UNION SELECT archived FROM archives a CROSS JOIN LATERAL unnest(a.full_value_sha256) AS archived
        WHERE a.tenant_id = ${tenant} AND a.full_value_sha256 && ${hashes}::text[] AND a.session_id IS DISTINCT FROM ${besides}`;
}

/**
 * Returns those of these full values that a row or an archive of the tenant still names, an archive of the session `besides` excepted. The transaction must
 * show every user's rows.
 */
export async function namedValues(
  transaction: TenantTransaction,
  hashes: readonly string[],
  besides: string | null = null,
): Promise<ReadonlySet<string>> {
  if (hashes.length === 0) return new Set();
  const sql = namedValuesSql('(SELECT current_tenant_id())', '$1', '$2::uuid');
  return new Set(columnOf(await transaction.$queryRawUnsafe(sql, hashes, besides), 'sha256', z.string()));
}

/** Removes the records of values that a row or an archive of the tenant still names, and returns them: they expire again with that. */
export async function spareNamedValues(
  maintenance: pg.Pool,
  tenant: string,
  hashes: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await maintenance.query(
    `DELETE FROM expired_full_values WHERE tenant_id = $1 AND sha256 IN (${namedValuesSql('$1', '$2', 'NULL')})
     RETURNING sha256`,
    [tenant, hashes],
  );
  return new Set(columnOf(rows, 'sha256', z.string()));
}

/** Deletes the record of a deleted full value. */
export async function endExpiredValue(maintenance: pg.Pool, { tenant, sha256 }: ExpiredValue): Promise<void> {
  await maintenance.query('DELETE FROM expired_full_values WHERE tenant_id = $1 AND sha256 = $2', [tenant, sha256]);
}
