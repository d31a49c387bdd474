import type pg from 'pg';
import { z } from 'zod';
import { ROLES, SCOPES } from '../../../domain/access.ts';
import { asId } from '../../../domain/ids.ts';
import type { UserId } from '../../../domain/ids.ts';
import type { Database } from '../connection/database.ts';
import { rowOf, tenantColumn } from '../connection/rows.ts';
import { keySha256 } from './secrets.ts';

/** The last use of a key is recorded at most this often. */
const USE_MS = 3_600_000;

const keyRow = rowOf({
  key_id: z.string(),
  tenant_id: tenantColumn,
  user_id: z.string().transform((id) => asId<UserId>(id)),
  role: z.enum(ROLES),
  scopes: z.array(z.enum(SCOPES)),
  expires_at: z.date().nullable(),
  last_used_at: z.date().nullable(),
  /** Quota of the key alone; captures are not counted. */
  requests_per_minute: z.number().nullable(),
  /** An admin of the tenant that the instance was set up with. */
  is_operator: z.boolean(),
});

/** Principal of a key. */
export type Principal = z.output<typeof keyRow>;

/** Null for a key that is unknown, revoked or expired, or whose user is not active or whose tenant is suspended. */
export async function findPrincipal(pool: pg.Pool, key: string): Promise<Principal | null> {
  const result = await pool.query({
    name: 'find_api_key',
    text: 'SELECT id AS key_id, tenant_id, user_id, role, scopes, expires_at, last_used_at, requests_per_minute, is_operator FROM find_api_key($1)',
    values: [keySha256(key)],
  });
  return z.array(keyRow).parse(result.rows)[0] ?? null;
}

/** Records that a key was used, at most once an hour; several processes may use it at once. */
export async function recordUse(
  database: Database,
  { tenantId, keyId, lastUsedAt }: Pick<Principal, 'tenantId' | 'keyId' | 'lastUsedAt'>,
): Promise<void> {
  const before = new Date(Date.now() - USE_MS);
  if (lastUsedAt !== null && lastUsedAt >= before) return;
  await database.asTenant(tenantId, (transaction) =>
    transaction.apiKey.updateMany({
      where: { id: keyId, OR: [{ lastUsedAt: null }, { lastUsedAt: { lt: before } }] },
      data: { lastUsedAt: new Date() },
    }),
  );
}
