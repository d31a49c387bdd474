import type { Principal } from '../stores/postgres/access/api-keys.ts';
import type { Database } from '../stores/postgres/connection/database.ts';
import { findUser } from '../stores/postgres/search/profile.ts';
import type { ProfileUser } from '../stores/postgres/search/profile.ts';
import { isAdmin, mayActFor } from './auth.ts';
import { ApiError } from './errors.ts';
import { MAX_DAYS } from '../contract/operations.ts';
import { DEFAULT_DAYS } from '../contract/usage.ts';

const DAY_MS = 86_400_000;

/** Returns the fault of a range, by field; null for a valid range. */
export function rangeFault({
  since,
  until,
}: {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}) {
  const end = until === undefined ? Date.now() : Date.parse(until);
  const start = since === undefined ? end - DEFAULT_DAYS * DAY_MS : Date.parse(since);
  const field = since === undefined ? 'until' : 'since';
  if (!Number.isFinite(start) || start < 0 || end < 0) return { field, message: 'is before 1970' };
  if (start >= end) return { field, message: 'leaves no time: since must be before until' };
  if (end - start > MAX_DAYS * DAY_MS) return { field, message: `spans more than ${MAX_DAYS} days` };
  return null;
}

/** The range as both ends. Call {@link rangeFault} first. */
export function rangeOf({
  since,
  until,
}: {
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}) {
  const end = until === undefined ? Date.now() : Date.parse(until);
  const start = since === undefined ? end - DEFAULT_DAYS * DAY_MS : Date.parse(since);
  return { since: new Date(start).toISOString(), until: new Date(end).toISOString() };
}

/** Returns both ends of a requested range. @throws ApiError VALIDATION_FAILED that names the field */
export function checkedRange(requested: { readonly since?: string | undefined; readonly until?: string | undefined }) {
  const fault = rangeFault(requested);
  if (fault !== null) throw new ApiError('VALIDATION_FAILED', `${fault.field} ${fault.message}`, [fault]);
  return rangeOf(requested);
}

/**
 * Returns the user of a usage report: null for the tenant, if an admin names no user; the caller for other roles.
 * @throws ApiError FORBIDDEN for another user, NOT_FOUND for an unknown user
 */
export async function usageUser(
  database: Database,
  principal: Principal,
  requested: string | undefined,
): Promise<ProfileUser | null> {
  if (requested === undefined && isAdmin(principal)) return null;
  const named = requested === undefined || requested === 'me' ? principal.userId : requested;
  const user = await database.asTenant(principal.tenantId, (transaction) => findUser(transaction, named));
  if (!mayActFor(principal, user?.id))
    throw new ApiError('FORBIDDEN', 'only admins may read the usage of another user');
  if (user === null) throw new ApiError('NOT_FOUND', 'there is no such user');
  return user;
}
