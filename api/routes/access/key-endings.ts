import { keySchema } from '../../../contract/access.ts';
import { readKey, revokeKey, rotateKey } from '../../../stores/postgres/access/key-changes.ts';
import type { StoredKey } from '../../../stores/postgres/access/key-changes.ts';
import type { Principal } from '../../../stores/postgres/access/principal.ts';
import { lockAccess } from '../../../stores/postgres/access/users.ts';
import type { TenantTransaction } from '../../../stores/postgres/connection/database.ts';
import {
  latestEndOf,
  leavingAnAdmin,
  requireActive,
  requireOwnBounds,
  requireScopes,
  userOf,
} from '../../access-rules.ts';
import { conflict, existing } from '../../errors.ts';
import { present } from '../../http/present.ts';

/** Description of the routes that rotate a key. */
export const ROTATION =
  'The new key has the same user, scopes and name; if the old key has an end, the new one gets the same lifetime, up to the end of the key that rotates it. The old key ends after the overlap.';

/** Returns a key of the tenant, for an admin; of one user if `userId` is given. @throws ApiError NOT_FOUND */
export async function keyOf(transaction: TenantTransaction, id: string, userId?: string): Promise<StoredKey> {
  const key = await readKey(transaction, id);
  return existing(userId === undefined || key?.userId === userId ? key : null, 'key');
}

/** Returns a key that has not ended and has no successor. @throws ApiError NOT_FOUND, CONFLICT */
export async function currentKey(transaction: TenantTransaction, id: string, userId?: string): Promise<StoredKey> {
  const key = await keyOf(transaction, id, userId);
  if (key.revokedAt !== null) throw conflict('id', 'is revoked', 'the key');
  if (key.replacedBy !== null) throw conflict('id', 'is replaced by another key', 'the key');
  if (key.expiresAt !== null && key.expiresAt.getTime() <= Date.now()) throw conflict('id', 'is expired', 'the key');
  return key;
}

/** Returns the answer for a new key: the only one that contains the key itself. */
export async function created(
  transaction: TenantTransaction,
  { id, key }: { readonly id: string; readonly key: string },
) {
  return { key: present(keySchema, await keyOf(transaction, id)), api_key: key };
}

/** Revokes a key, of one user if `userId` is given. Returns its record. @throws ApiError NOT_FOUND, CONFLICT */
export async function revoked(transaction: TenantTransaction, id: string, userId?: string) {
  await keyOf(transaction, id, userId);
  await leavingAnAdmin(transaction, 'id', () => revokeKey(transaction, id));
  return present(keySchema, await keyOf(transaction, id));
}

/** Replaces a key, of one user if `userId` is given. Returns the new key and the record of the old one. @throws ApiError NOT_FOUND, CONFLICT, FORBIDDEN */
export async function rotated(
  transaction: TenantTransaction,
  principal: Principal,
  id: string,
  overlapS: number,
  userId?: string,
) {
  await lockAccess(transaction);
  const key = await currentKey(transaction, id, userId);
  const user = await userOf(transaction, key.userId);
  requireActive(user, 'id');
  requireScopes(principal, user.role, key.scopes);
  requireOwnBounds(principal, key);
  const next = await rotateKey(transaction, key, {
    tenantId: principal.tenantId,
    createdBy: principal.userId,
    endsAt: new Date(Date.now() + overlapS * 1_000),
    latest: latestEndOf(principal),
  });
  const replaced = present(keySchema, await keyOf(transaction, key.id));
  return { ...(await created(transaction, next)), replaced };
}
