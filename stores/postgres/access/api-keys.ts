import type pg from 'pg';
import { z } from 'zod';
import { ROLES, SCOPES } from '../../../domain/access.ts';
import type { Bounds } from '../../../domain/access.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { Database } from '../connection/database.ts';
import { rowOf, tenantColumn, userColumn } from '../connection/rows.ts';
import type { Principal } from './principal.ts';
import { keySha256 } from './secrets.ts';

/** The last use of a key is recorded at most this often. */
const USE_MS = 3_600_000;

/** Returns what a key is bound to; null: nothing. */
export function boundsOf(namespaces: readonly string[], projects: readonly string[]): Bounds | null {
  return namespaces.length + projects.length === 0 ? null : { namespaces, projects };
}

const keyRow = rowOf({
  id: z.string(),
  tenant_id: tenantColumn,
  user_id: userColumn,
  role: z.enum(ROLES),
  scopes: z.array(z.enum(SCOPES)),
  expires_at: z.date().nullable(),
  last_used_at: z.date().nullable(),
  requests_per_minute: z.number().nullable(),
  is_operator: z.boolean(),
  namespaces: z.array(z.string()),
  projects: z.array(z.string()),
}).transform(({ namespaces, projects, ...key }) => ({
  ...key,
  bounds: boundsOf(namespaces, projects),
}));

/** A key that works: its principal, and its last use. */
export interface FoundKey {
  readonly principal: Principal;
  readonly lastUsedAt: Date | null;
}

/** Null for a key that is unknown, revoked or expired, or whose user is not active or whose tenant is suspended. */
export async function findKey(pool: pg.Pool, key: string): Promise<FoundKey | null> {
  const result = await pool.query({
    name: 'find_api_key',
    text: 'SELECT id, tenant_id, user_id, role, scopes, expires_at, last_used_at, requests_per_minute, is_operator, namespaces, projects FROM find_api_key($1)',
    values: [keySha256(key)],
  });
  const [found] = z.array(keyRow).parse(result.rows);
  if (found === undefined) return null;
  const { id, lastUsedAt, ...rest } = found;
  return { principal: { credential: { kind: 'key', id }, login: null, ...rest }, lastUsedAt };
}

/** Records that a key was used, at most once an hour; several processes may use it at once. */
export async function recordUse(
  database: Database,
  tenantId: TenantId,
  keyId: string,
  lastUsedAt: Date | null,
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
