import { hash } from 'node:crypto';
import type pg from 'pg';
import { z } from 'zod';
import { asId } from '../../../domain/ids.ts';
import type { UserId } from '../../../domain/ids.ts';
import { rowOf, tenantColumn } from '../connection/rows.ts';

export const SCOPES = ['capture', 'read', 'write', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

const keyRow = rowOf({
  key_id: z.string(),
  tenant_id: tenantColumn,
  user_id: z.string().transform((id) => asId<UserId>(id)),
  role: z.enum(['admin', 'user', 'viewer']),
  scopes: z.array(z.enum(SCOPES)),
  /** An admin of the tenant that the instance was set up with. */
  is_operator: z.boolean(),
});

/** Principal of a key. */
export type Principal = z.output<typeof keyRow>;

export function keySha256(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}

/** Null for a key that is unknown, revoked or expired, or whose user is not active. */
export async function findPrincipal(pool: pg.Pool, key: string): Promise<Principal | null> {
  const result = await pool.query({
    name: 'find_api_key',
    text: 'SELECT id AS key_id, tenant_id, user_id, role, scopes, is_operator FROM find_api_key($1)',
    values: [keySha256(key)],
  });
  return z.array(keyRow).parse(result.rows)[0] ?? null;
}
