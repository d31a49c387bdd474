import { createHash } from 'node:crypto';
import type pg from 'pg';
import { z } from 'zod';
import { asId } from '../../../domain/ids.ts';
import type { TenantId, UserId } from '../../../domain/ids.ts';

export const SCOPES = ['capture', 'read', 'write', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** Principal of a key. */
export interface Principal {
  readonly keyId: string;
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly role: 'admin' | 'user' | 'viewer';
  readonly scopes: readonly Scope[];
  /** An admin of the tenant that the instance was set up with. */
  readonly isOperator: boolean;
}

const keyRow = z.object({
  id: z.string(),
  tenant_id: z.string(),
  user_id: z.string(),
  role: z.enum(['admin', 'user', 'viewer']),
  scopes: z.array(z.enum(SCOPES)),
  is_operator: z.boolean(),
});

export function keySha256(key: string): Buffer {
  return createHash('sha256').update(key, 'utf8').digest();
}

/** Null for a key that is unknown, revoked or expired, or whose user is not active. */
export async function findPrincipal(pool: pg.Pool, key: string): Promise<Principal | null> {
  const result = await pool.query({
    name: 'find_api_key',
    text: 'SELECT id, tenant_id, user_id, role, scopes, is_operator FROM find_api_key($1)',
    values: [keySha256(key)],
  });
  if (result.rows.length === 0) return null;
  const row = keyRow.parse(result.rows[0]);
  return {
    keyId: row.id,
    tenantId: asId(row.tenant_id),
    userId: asId(row.user_id),
    role: row.role,
    scopes: row.scopes,
    isOperator: row.is_operator,
  };
}
