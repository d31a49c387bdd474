import type { Principal } from '../../stores/postgres/access/api-keys.ts';
import type { TenantTransaction } from '../../stores/postgres/connection/database.ts';
import type { LockedLearning } from '../../stores/postgres/learnings/learning-changes.ts';
import { ownersOfVersions } from '../../stores/postgres/memories/memory-changes.ts';
import { isAdmin, mayActFor } from '../auth.ts';
import { ApiError } from '../errors.ts';

/** All users of the tenant may read a learning; its owner and admins may change it. @throws ApiError FORBIDDEN */
export function requireOwner(principal: Principal, learning: LockedLearning): void {
  if (!mayActFor(principal, learning.userId))
    throw new ApiError('FORBIDDEN', 'a learning is changed by its owner or an admin');
}

/** The same of a learning with every version that it replaced, which go with it: each must be one's own. @throws ApiError FORBIDDEN */
export async function requireOwnerOfAll(
  transaction: TenantTransaction,
  principal: Principal,
  learning: LockedLearning,
): Promise<void> {
  requireOwner(principal, learning);
  const owners = await ownersOfVersions(transaction, learning.id);
  if (!owners.every((userId) => mayActFor(principal, userId)))
    throw new ApiError('FORBIDDEN', 'another user made an earlier version of the learning: an admin deletes it');
}

/** Who may say that a learning is true: admins, and where the setting lets them, users. @throws ApiError FORBIDDEN */
export function requireVerifier(principal: Principal, usersVerify: boolean): void {
  if (!usersVerify && !isAdmin(principal))
    throw new ApiError('FORBIDDEN', 'a learning is verified by an admin (RECOLLECT_USERS_VERIFY lets users)');
}
