import type { Principal } from '../stores/postgres/access/api-keys.ts';
import type { Database } from '../stores/postgres/connection/database.ts';
import { findUser } from '../stores/postgres/search/profile.ts';
import type { ProfileUser } from '../stores/postgres/search/profile.ts';
import { isAdmin, mayActFor } from './auth.ts';
import { ApiError } from './errors.ts';
import { rangeFault, rangeOf } from '../contract/usage.ts';

/** Both ends of an asked-for time. @throws ApiError VALIDATION_FAILED that names the field */
export function checkedRange(asked: { readonly since?: string | undefined; readonly until?: string | undefined }) {
  const fault = rangeFault(asked);
  if (fault !== null) throw new ApiError('VALIDATION_FAILED', `${fault.field} ${fault.message}`, [fault]);
  return rangeOf(asked);
}

/**
 * Whose usage is meant: null for the whole tenant, which admins see who name nobody. Others see their own.
 * @throws ApiError FORBIDDEN for another's, NOT_FOUND for an unknown user
 */
export async function usageUser(
  database: Database,
  holder: Principal,
  asked: string | undefined,
): Promise<ProfileUser | null> {
  if (asked === undefined && isAdmin(holder)) return null;
  const named = asked === undefined || asked === 'me' ? holder.userId : asked;
  const user = await database.asTenant(holder.tenantId, (transaction) => findUser(transaction, named));
  if (!mayActFor(holder, user?.id)) throw new ApiError('FORBIDDEN', 'what another user used is for admins');
  if (user === null) throw new ApiError('NOT_FOUND', 'there is no such user');
  return user;
}
