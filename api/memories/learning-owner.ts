import type { Principal } from '../../stores/postgres/access/api-keys.ts';
import type { TenantTransaction } from '../../stores/postgres/connection/database.ts';
import type { LockedLearning } from '../../stores/postgres/learnings/learning-changes.ts';
import { ownersOfVersions } from '../../stores/postgres/memories/memory-changes.ts';
import { isAdmin, mayActFor } from '../auth.ts';
import { ApiError } from '../errors.ts';

/** All users of the tenant may read a learning; its owner and admins may change it. @throws ApiError FORBIDDEN */
export function requireOwner(principal: Principal, learning: LockedLearning): void {
  if (!mayActFor(principal, learning.userId))
    throw new ApiError('FORBIDDEN', 'only the owner of a learning or an admin may change it');
}

/** Checks the owner of a learning and of all its earlier versions, which are deleted with it. @throws ApiError FORBIDDEN */
export async function requireOwnerOfAll(
  transaction: TenantTransaction,
  principal: Principal,
  learning: LockedLearning,
): Promise<void> {
  requireOwner(principal, learning);
  const owners = await ownersOfVersions(transaction, learning.id);
  if (!owners.every((userId) => mayActFor(principal, userId)))
    throw new ApiError(
      'FORBIDDEN',
      'another user owns an earlier version of the learning: only an admin may delete it',
    );
}

/** Checks the right to verify a learning: admins, and users if the setting allows it. @throws ApiError FORBIDDEN */
export function requireVerifier(principal: Principal, usersVerify: boolean): void {
  if (!usersVerify && !isAdmin(principal))
    throw new ApiError('FORBIDDEN', 'only an admin may verify a learning (RECOLLECT_USERS_VERIFY allows users)');
}
