import { z } from 'zod';
import type { TenantId } from '../../../domain/ids.ts';
import type { Database, TenantTransaction } from '../connection/database.ts';
import { rowOf } from '../connection/rows.ts';

const tenantRow = z.object({
  id: z.string(),
  name: z.string(),
  isOperator: z.boolean(),
  suspendedAt: z.date().nullable(),
  createdAt: z.date(),
});

/** A tenant. */
export type StoredTenant = z.output<typeof tenantRow>;

const listedRow = rowOf({
  id: z.string(),
  name: z.string(),
  is_operator: z.boolean(),
  suspended_at: z.date().nullable(),
  created_at: z.date(),
  users: z.number(),
});
/** The number of all tenants is in every row, and in one without a tenant if the page has none. */
const pageRows = z.array(z.looseObject({ id: z.string().nullable(), total: z.number() })).min(1);

/** Returns a page of all tenants, newest first, and their number. For operators only. */
export async function listTenants(
  { pool }: Database,
  page: number,
  limit: number,
): Promise<{ rows: z.output<typeof listedRow>[]; total: number }> {
  const { rows } = await pool.query('SELECT * FROM list_tenants($1, $2)', [(page - 1) * limit, limit]);
  const found = pageRows.parse(rows);
  return {
    rows: z.array(listedRow).parse(found.filter(({ id }) => id !== null)),
    total: found[0]?.total ?? 0,
  };
}

/** Returns the tenant of the transaction; null if it does not exist. */
export async function readTenant(transaction: TenantTransaction, id: TenantId): Promise<StoredTenant | null> {
  return tenantRow.nullable().parse(await transaction.tenant.findUnique({ where: { id } }));
}

/** Creates a tenant, in a transaction of that tenant. Returns false if the name is taken. */
export async function createTenant(transaction: TenantTransaction, id: TenantId, name: string): Promise<boolean> {
  const count = await transaction.$executeRaw`
    INSERT INTO tenants (id, name) VALUES (${id}::uuid, ${name}) ON CONFLICT (name) DO NOTHING`;
  return count === 1;
}

/** Changes the tenant of the transaction; undefined fields are unchanged. A suspended one retains the time of its suspension. */
export async function changeTenant(
  transaction: TenantTransaction,
  { id, suspendedAt }: StoredTenant,
  { name, suspended }: { readonly name?: string | undefined; readonly suspended?: boolean | undefined },
): Promise<void> {
  const data = {
    ...(name !== undefined && { name }),
    ...(suspended !== undefined && { suspendedAt: suspended ? (suspendedAt ?? new Date()) : null }),
  };
  await transaction.tenant.update({ where: { id }, data });
}
