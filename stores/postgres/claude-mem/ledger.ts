import { z } from 'zod';
import { CLAUDE_MEM_TABLES } from '../../../domain/claude-mem/rows.ts';
import type { ClaudeMemTable } from '../../../domain/claude-mem/rows.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { TenantTransaction } from '../connection/database.ts';

/** Rows of one table of one database. */
export interface SourceRows {
  readonly tenantId: TenantId;
  readonly source: string;
  readonly table: ClaudeMemTable;
}

/**
 * Locks the source for rows that depend on one another (prompts of a session have an order, its summaries versions): one batch of a database
 * at a time. Observations are independent: their batches run concurrently, and a batch with rows of another one waits for it (`claimRows`).
 */
export async function lockSource(
  transaction: TenantTransaction,
  { tenantId, source, table }: SourceRows,
): Promise<void> {
  if (table === 'observations') return;
  await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`claude-mem ${tenantId} ${source}`}, 0))`;
}

const idRows = z.array(z.object({ source_id: z.coerce.number() }));

/** Returns those of the rows that were not imported yet. */
export async function unknownRows(
  transaction: TenantTransaction,
  { source, table }: SourceRows,
  ids: readonly number[],
): Promise<ReadonlySet<number>> {
  const rows = await transaction.$queryRaw`
    SELECT id AS source_id FROM unnest(${ids}::bigint[]) AS id
     WHERE NOT EXISTS (SELECT FROM imported_rows WHERE tenant_id = (SELECT current_tenant_id()) AND source = ${source} AND source_table = ${table} AND source_id = id)`;
  return new Set(idRows.parse(rows).map((row) => row.source_id));
}

/**
 * Records rows as imported, so that they are not imported again, even if they are deleted here. Returns those that were not recorded before. Waits for
 * another batch that is importing the same rows.
 */
export async function claimRows(
  transaction: TenantTransaction,
  { tenantId, source, table }: SourceRows,
  ids: readonly number[],
): Promise<ReadonlySet<number>> {
  if (ids.length === 0) return new Set();
  const rows = await transaction.$queryRaw`
    INSERT INTO imported_rows (tenant_id, source, source_table, source_id)
    SELECT ${tenantId}::uuid, ${source}, ${table}, id FROM unnest(${ids}::bigint[]) AS id ORDER BY id ON CONFLICT DO NOTHING RETURNING source_id`;
  return new Set(idRows.parse(rows).map((row) => row.source_id));
}

/** Deletes the records of rejected rows: they can be imported again. */
export async function disclaimRows(
  transaction: TenantTransaction,
  { source, table }: SourceRows,
  ids: readonly number[],
): Promise<void> {
  if (ids.length === 0) return;
  await transaction.$executeRaw`
    DELETE FROM imported_rows
     WHERE tenant_id = (SELECT current_tenant_id()) AND source = ${source} AND source_table = ${table} AND source_id = ANY (${ids}::bigint[])`;
}

const countRows = z.array(z.object({ source_table: z.enum(CLAUDE_MEM_TABLES), n: z.number() }));

/** Returns the number of imported rows of each table of a database. */
export async function countKnown(
  transaction: TenantTransaction,
  source: string,
): Promise<Partial<Record<ClaudeMemTable, number>>> {
  const rows = await transaction.$queryRaw`
    SELECT source_table, count(*)::integer AS n FROM imported_rows
     WHERE tenant_id = (SELECT current_tenant_id()) AND source = ${source} GROUP BY source_table`;
  return Object.fromEntries(countRows.parse(rows).map((row) => [row.source_table, row.n]));
}
