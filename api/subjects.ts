import type { Principal } from '../stores/postgres/access/api-keys.ts';
import type { TenantTransaction } from '../stores/postgres/connection/database.ts';
import { findPerson } from '../stores/postgres/access/people.ts';
import type { Person } from '../stores/postgres/access/people.ts';
import { findOwnedSession } from '../stores/postgres/sessions/sessions.ts';
import { isAdmin, mayActFor, seekerOf } from './auth.ts';
import { ApiError } from './errors.ts';

/** Who is meant: whoever asks, or for an admin anybody of the tenant. @throws ApiError FORBIDDEN, NOT_FOUND */
export async function personFor(
  transaction: TenantTransaction,
  holder: Principal,
  given: string | undefined,
): Promise<Person> {
  const found = await findPerson(transaction, given ?? holder.userId);
  if (!mayActFor(holder, found?.id)) throw new ApiError('FORBIDDEN', 'what is another person’s is for admins');
  if (found === null) throw new ApiError('NOT_FOUND', 'there is no such person');
  return found;
}

/** A session of the asker's, or for an admin any of the tenant. @throws ApiError NOT_FOUND */
export async function sessionFor(transaction: TenantTransaction, holder: Principal, given: string): Promise<string> {
  const found = await findOwnedSession(transaction, given, seekerOf(holder), 'shown');
  if (found === null || !mayActFor(holder, found.userId)) throw new ApiError('NOT_FOUND', 'there is no such session');
  return found.id;
}

/** @throws ApiError FORBIDDEN for who is no admin, or whose key has not that scope */
export function refuseOthers(holder: Principal): void {
  if (!isAdmin(holder)) throw new ApiError('FORBIDDEN', 'this is for admins, with a key of the scope admin');
}
