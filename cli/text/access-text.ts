import type { z } from 'zod';
import type { ApiKey, inviteSchema, listedTenant, Transfer, User } from '../../contract/access.ts';
import type { Grant } from '../../contract/grants.ts';
import type { UserIdentity } from '../../contract/single-sign-on.ts';
import { isLoopback } from '../install/server-access.ts';
import { table } from '../output.ts';
import { ago, minuteOf, short } from './text-layout.ts';

const NAME_CHARS = 40;

/** Returns the state of a user: an invited one has not accepted the current invite. */
function stateOf({ active, invite_expires_at: invite }: User): string {
  if (!active) return 'inactive';
  return invite === null ? 'active' : 'invited';
}

/** Returns users as a table. */
export function usersText(users: readonly User[], now: number): string {
  if (users.length === 0) return 'No users.\n';
  const rows = users.map((user) => [
    user.username,
    user.role,
    stateOf(user),
    user.email ?? '-',
    ago(user.created_at, now),
  ]);
  return table([['USER', 'ROLE', 'STATE', 'EMAIL', 'CREATED'], ...rows]);
}

/** Returns what a transfer changed, or would change. */
export function transferText({ dry_run: isDryRun, learnings }: Transfer, from: string, to: string): string {
  const { extracted, by_hand: byHand, closed, erased_with_user: erased } = learnings;
  const counts = `${extracted} learnings of sessions, ${byHand} by hand, ${closed} closed`;
  const rest = `Only sessions of ${from} taught ${erased} of them: an erasure of ${from} deletes those all the same.\n`;
  return `${isDryRun ? `${to} would own` : `${to} owns`} what ${from} owned: ${counts}.\n${erased === 0 ? '' : rest}`;
}

/** Returns the accounts of a user at log-in providers as a table. */
export function identitiesText(identities: readonly UserIdentity[], now: number): string {
  if (identities.length === 0) return 'No identities.\n';
  const rows = identities.map((each) => [
    each.id,
    each.issuer,
    short(each.subject, NAME_CHARS),
    each.last_used_at === null ? 'never' : ago(each.last_used_at, now),
  ]);
  return table([['IDENTITY', 'PROVIDER', 'SUBJECT', 'USED'], ...rows]);
}

/** Returns when a key ends, or how it ended. */
function endOf({ revoked_at: revokedAt, expires_at: expiresAt }: ApiKey): string {
  if (revokedAt !== null) return 'revoked';
  return expiresAt === null ? 'never' : minuteOf(expiresAt);
}

/** Returns keys as a table. */
export function keysText(keys: readonly ApiKey[], now: number): string {
  if (keys.length === 0) return 'No keys.\n';
  const rows = keys.map((key) => [
    key.id,
    short(key.name, NAME_CHARS),
    key.username,
    key.scopes.join(','),
    key.prefix,
    key.last_used_at === null ? 'never' : ago(key.last_used_at, now),
    endOf(key),
  ]);
  return table([['KEY', 'NAME', 'USER', 'SCOPES', 'BEGINS WITH', 'USED', 'ENDS (UTC)'], ...rows]);
}

/** Returns grants of OAuth clients as a table. */
export function grantsText(grants: readonly Grant[], now: number): string {
  if (grants.length === 0) return 'No grants.\n';
  const rows = grants.map((grant) => [
    grant.id,
    grant.username,
    short(grant.client_name ?? grant.client_host, NAME_CHARS),
    short(grant.client_host, NAME_CHARS),
    grant.scopes.join(','),
    grant.last_used_at === null ? 'never' : ago(grant.last_used_at, now),
    grant.end_reason ?? minuteOf(grant.expires_at),
  ]);
  return table([['GRANT', 'USER', 'CLIENT', 'HOST', 'SCOPES', 'USED', 'ENDS (UTC)'], ...rows]);
}

/** Returns tenants as a table. */
export function tenantsText(tenants: readonly z.output<typeof listedTenant>[], now: number): string {
  const rows = tenants.map((tenant) => [
    tenant.id,
    short(tenant.name, NAME_CHARS),
    String(tenant.users),
    tenant.suspended_at === null ? (tenant.is_operator ? 'operator' : 'active') : 'suspended',
    ago(tenant.created_at, now),
  ]);
  return table([['TENANT', 'NAME', 'USERS', 'STATE', 'CREATED'], ...rows]);
}

/** Returns the command that accepts an invite, with the link of this server. */
export function inviteText(
  { username }: Pick<User, 'username'>,
  { token, expires_at: expiresAt }: z.output<typeof inviteSchema>,
  serverUrl: string,
): string {
  const isLocal = isLoopback(new URL(serverUrl).hostname);
  return `${username} joins with this link, once, until ${minuteOf(expiresAt)} UTC. It is not shown again:
  recollect join '${serverUrl}/#${token}'
${isLocal ? `From another machine, replace ${serverUrl} by the address of this server there.\n` : ''}`;
}

/** Returns a new key with its use. */
export function newKeyText({ key, api_key: secret }: { readonly key: ApiKey; readonly api_key: string }): string {
  return `Key of ${key.username} with ${key.scopes.join(', ')}. It is not shown again:\n  ${secret}\n`;
}
