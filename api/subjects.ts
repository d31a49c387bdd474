import type { Principal } from '../stores/postgres/access/api-keys.ts';
import type { TenantTransaction } from '../stores/postgres/connection/database.ts';
import { findPerson } from '../stores/postgres/access/people.ts';
import type { Person } from '../stores/postgres/access/people.ts';
import { findOwnedSession, findSessionId } from '../stores/postgres/sessions/sessions.ts';
import { isAdmin, mayActFor, seekerOf } from './auth.ts';
import { ApiError, existing } from './errors.ts';

/** Returns the user that a request names: the caller or, for an admin, any user of the tenant. @throws ApiError FORBIDDEN, NOT_FOUND */
export async function personFor(
  transaction: TenantTransaction,
  principal: Principal,
  given: string | undefined,
): Promise<Person> {
  const found = await findPerson(transaction, given ?? principal.userId);
  if (!mayActFor(principal, found?.id)) throw new ApiError('FORBIDDEN', 'only admins may access data of another user');
  if (found === null) throw new ApiError('NOT_FOUND', 'there is no such user');
  return found;
}

/** Returns the id of a session that the caller may name. @throws ApiError NOT_FOUND */
export async function sessionIdOf(
  transaction: TenantTransaction,
  principal: Principal,
  given: string,
): Promise<string> {
  return existing(await findSessionId(transaction, given, seekerOf(principal)), 'session');
}

/** A session of the asker's, or for an admin any of the tenant. @throws ApiError NOT_FOUND */
export async function sessionFor(transaction: TenantTransaction, principal: Principal, given: string): Promise<string> {
  const found = await findOwnedSession(transaction, given, seekerOf(principal), 'shown');
  if (found === null || !mayActFor(principal, found.userId))
    throw new ApiError('NOT_FOUND', 'there is no such session');
  return found.id;
}

/** @throws ApiError FORBIDDEN for who is no admin, or whose key has not that scope */
export function refuseOthers(principal: Principal): void {
  if (!isAdmin(principal)) throw new ApiError('FORBIDDEN', 'this requires an admin, with a key of the scope admin');
}
