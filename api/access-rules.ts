import { SCOPES, scopesOf } from '../domain/access.ts';
import type { Bounds, Role, Scope } from '../domain/access.ts';
import type { Principal } from '../stores/postgres/access/principal.ts';
import type { Except, StoredUser } from '../stores/postgres/access/users.ts';
import { findPerson } from '../stores/postgres/access/people.ts';
import { hasActingAdmin, lockAccess, readUser } from '../stores/postgres/access/users.ts';
import { findProject } from '../stores/postgres/projects/projects.ts';
import type { TenantTransaction } from '../stores/postgres/connection/database.ts';
import { ApiError, conflict, existing, invalid } from './errors.ts';

/** Returns a user of the tenant by id or name. `field`: what named it. @throws ApiError NOT_FOUND */
export async function userOf(transaction: TenantTransaction, given: string, field = 'user'): Promise<StoredUser> {
  const { id } = existing(await findPerson(transaction, given), 'user', field);
  return existing(await readUser(transaction, id), 'user', field);
}

/**
 * Runs a change of access, under the lock of the tenant, and returns its result. `except`: what the change ends later.
 * @throws ApiError CONFLICT if an admin of the tenant could change access before, and none after
 */
export async function leavingAnAdmin<Result>(
  transaction: TenantTransaction,
  field: string,
  change: () => Promise<Result>,
  except: Except = {},
): Promise<Result> {
  await lockAccess(transaction);
  const couldAct = await hasActingAdmin(transaction);
  const result = await change();
  if (couldAct && !(await hasActingAdmin(transaction, except)))
    throw conflict(
      field,
      'leaves the tenant without an active admin who can log in or has a key of the scope admin',
      'the change',
    );
  return result;
}

/** @throws ApiError CONFLICT for an inactive user */
export function requireActive({ active }: StoredUser, field: string): void {
  if (!active) throw conflict(field, 'is not active', 'the user');
}

/** Checks that the caller's key has all of these scopes. @throws ApiError FORBIDDEN */
export function requireOwnScopes(maker: Principal, scopes: readonly Scope[]): void {
  const above = scopes.filter((scope) => !maker.scopes.includes(scope));
  if (above.length > 0)
    throw new ApiError('FORBIDDEN', 'a key cannot create or revoke a key with more scopes', [
      { field: 'scopes', message: `your key lacks ${above.join(', ')}` },
    ]);
}

/**
 * Checks the scopes of a new key: none that the key of its maker lacks, and none that the role of its user does not have.
 * @throws ApiError FORBIDDEN, CONFLICT
 */
export function requireScopes(maker: Principal, role: Role, scopes: readonly Scope[]): void {
  requireOwnScopes(maker, scopes);
  const allowed = scopesOf(role, scopes);
  const excess = scopes.filter((scope) => !allowed.includes(scope));
  if (excess.length > 0)
    throw conflict('scopes', `of a key of a user with the role ${role} cannot include ${excess.join(', ')}`);
}

/**
 * Returns the time after which no key ends that the caller creates; null: none. A session, and an access token of minutes, ends before the rights of its user or its
 * key.
 */
export function latestEndOf({ expiresAt, login }: Principal): Date | null {
  return login === null ? expiresAt : login.keyExpiresAt;
}

/**
 * Checks the end of an access that a caller gives or gets: not after the end of the caller's key. Null: no end. `field`: what gives the access.
 * @throws ApiError FORBIDDEN
 */
export function requireEnd(maker: Principal, end: Date | null, field = 'expires_at'): void {
  const latest = latestEndOf(maker);
  if (latest === null || (end !== null && end <= latest)) return;
  const message = `gives access after the end of your key, ${latest.toISOString()}`;
  throw new ApiError('FORBIDDEN', `${field} ${message}`, [{ field, message }]);
}

/** Scopes of bound keys: an admin's rights are not those of a namespace, and capture chooses the project by the folder of the agent. */
const BOUND_SCOPES = { namespaces: ['capture', 'read', 'write'], projects: ['read', 'write'] } as const;
const BOUND_FIELDS = ['namespaces', 'projects'] as const;

/**
 * Returns the bounds of a new key, projects by id; null: none. The makers of keys are admins, whose keys have no bounds.
 * @throws ApiError CONFLICT, NOT_FOUND
 */
export async function boundsOf(
  transaction: TenantTransaction,
  scopes: readonly Scope[],
  { namespaces, projects: names }: { readonly namespaces: readonly string[]; readonly projects: readonly string[] },
): Promise<Bounds | null> {
  const projects: string[] = [];
  for (const [index, name] of names.entries())
    projects.push(existing(await findProject(transaction, name), 'project', `projects.${index}`).id);
  const bounds = { namespaces, projects };
  for (const field of BOUND_FIELDS) {
    const allowed: readonly Scope[] = BOUND_SCOPES[field];
    const excess = bounds[field].length === 0 ? [] : scopes.filter((scope) => !allowed.includes(scope));
    if (excess.length > 0)
      throw conflict('scopes', `of a key that is bound to ${field} cannot include ${excess.join(', ')}`);
  }
  return namespaces.length + projects.length === 0 ? null : bounds;
}

/** Checks that a key is within the bounds of the caller's key. @throws ApiError FORBIDDEN */
export function requireOwnBounds(maker: Principal, key: Bounds): void {
  for (const field of BOUND_FIELDS) {
    const limits = maker.bounds?.[field] ?? [];
    if (limits.length === 0 || (key[field].length > 0 && key[field].every((value) => limits.includes(value)))) continue;
    const message = `must be within the ${field} of your key`;
    throw new ApiError('FORBIDDEN', `the ${field} of the key ${message}`, [{ field, message }]);
  }
}

/** Checks that the caller may invite a user with a role: the keys of that user get all scopes of the role and no end. @throws ApiError FORBIDDEN */
export function requireInviting(maker: Principal, role: Role, field?: string): void {
  requireScopes(maker, role, scopesOf(role, SCOPES));
  requireEnd(maker, null, field);
}

/** Checks that the caller may change the role of a user: one with more rights needs the same as an invite. @throws ApiError FORBIDDEN */
export function requireRaising(maker: Principal, from: Role, to: Role): void {
  const before = scopesOf(from);
  if (scopesOf(to).some((scope) => !before.includes(scope))) requireInviting(maker, to, 'role');
}

/** Returns the end of a key. @throws ApiError VALIDATION_FAILED if it is not in the future */
export function futureEnd(given: string): Date {
  const end = new Date(given);
  if (end.getTime() <= Date.now()) throw invalid('expires_at', 'is not in the future');
  return end;
}
