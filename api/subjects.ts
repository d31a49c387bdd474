import type { Principal } from '../stores/postgres/access/principal.ts';
import type { Database, TenantTransaction } from '../stores/postgres/connection/database.ts';
import { findProject } from '../stores/postgres/projects/projects.ts';
import type { ProjectName } from '../stores/postgres/projects/projects.ts';
import { findPerson } from '../stores/postgres/access/people.ts';
import type { Person } from '../stores/postgres/access/people.ts';
import { findOwnedSession, findSessionId } from '../stores/postgres/sessions/sessions.ts';
import { isAdmin, mayActFor, seekerOf, viewOf } from './auth.ts';
import { ApiError, existing } from './errors.ts';

/** Returns the user that a request names: the caller or, for an admin, any user of the tenant. @throws ApiError FORBIDDEN, NOT_FOUND */
export async function personFor(
  transaction: TenantTransaction,
  principal: Principal,
  given: string | undefined,
): Promise<Person> {
  const found = await findPerson(transaction, given ?? principal.userId);
  if (!mayActFor(principal, found?.id)) throw new ApiError('FORBIDDEN', 'only admins may access data of another user');
  return existing(found, 'user');
}

/** Returns the project that a request names; undefined if it names none, null if it is unknown. */
export async function projectOf(
  database: Database,
  principal: Principal,
  given: string | undefined,
): Promise<ProjectName | null | undefined> {
  return given === undefined
    ? undefined
    : database.asTenant(viewOf(principal), (transaction) => findProject(transaction, given));
}

/** Ids that the filters of a list name; undefined: without this filter. */
interface FilterIds {
  readonly projectId: string | undefined;
  readonly sessionId: string | undefined;
}

/** Returns the ids of the project and the session that limit a list; null if one is unknown: the list is empty. @throws SessionAmbiguous */
export async function filterIds(
  transaction: TenantTransaction,
  principal: Principal,
  { project, session }: { readonly project?: string | undefined; readonly session?: string | undefined },
): Promise<FilterIds | null> {
  const known = project === undefined ? undefined : await findProject(transaction, project);
  const sessionId = session === undefined ? undefined : await findSessionId(transaction, session, seekerOf(principal));
  return known === null || sessionId === null ? null : { projectId: known?.id, sessionId };
}

/** Returns what the caller owns, or for an admin what any user of the tenant does. @throws ApiError NOT_FOUND */
export function ownedBy<Row>(
  principal: Principal,
  row: Row | null,
  userId: string | null | undefined,
  what: string,
): Row {
  return existing(mayActFor(principal, userId) ? row : null, what);
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
  return ownedBy(principal, found, found?.userId, 'session').id;
}

/** @throws ApiError FORBIDDEN for who is no admin, or whose key has not that scope */
export function refuseOthers(principal: Principal): void {
  if (!isAdmin(principal)) throw new ApiError('FORBIDDEN', 'this requires an admin, with a key of the scope admin');
}
