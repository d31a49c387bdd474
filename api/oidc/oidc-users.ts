import type { OidcProvider } from '../../config/oidc-providers.ts';
import { refusalOf, roleOf, usernameOf, verifiedEmailOf } from '../../domain/oidc-rules.ts';
import type { Role } from '../../domain/access.ts';
import type { TenantId } from '../../domain/ids.ts';
import { addIdentity, useIdentity, usersWithEmail } from '../../stores/postgres/access/identities.ts';
import { changeUser, createUser, hasActingAdmin, lockAccess, readUser } from '../../stores/postgres/access/users.ts';
import type { StoredUser } from '../../stores/postgres/access/users.ts';
import type { TenantTransaction } from '../../stores/postgres/connection/database.ts';
import { ApiError, existing } from '../errors.ts';
import type { OidcUser } from './oidc-client.ts';

/** Names that are tried for a new user: `nora`, `nora-2` and so on. */
const NAMES_TRIED = 100;

/** A log-in that a provider has confirmed. */
interface Arrival {
  readonly provider: OidcProvider;
  readonly tenantId: TenantId;
  readonly proven: OidcUser;
  /** Called with a user of the tenant who is refused. */
  readonly onRefused: (userId: string) => void;
}

function refused(reason: string): ApiError {
  return new ApiError('FORBIDDEN', `this user may not log in: ${reason}`);
}

async function createNew(transaction: TenantTransaction, { provider, tenantId, proven }: Arrival): Promise<string> {
  const role = roleOf(provider.rules, proven.claims);
  if (!provider.createsUsers || role === null) throw refused('the provider creates no users; an admin can add one');
  // An address that the provider has not verified is not stored: another provider would link it.
  const email = verifiedEmailOf(proven.claims);
  for (let n = 1; n <= NAMES_TRIED; n++) {
    const username = usernameOf(provider.rules, proven.claims, n);
    const id = await createUser(transaction, { tenantId, username, email, role });
    if (id !== null) return id;
  }
  throw refused('no username is free; an admin can add the user');
}

/** Returns the id of the one user with the provider's verified address; null if the provider does not link, or none or several users have it. */
async function findByEmail(transaction: TenantTransaction, { provider, proven }: Arrival): Promise<string | null> {
  const email = provider.linksByVerifiedEmail ? verifiedEmailOf(proven.claims) : null;
  if (email === null) return null;
  const [id, second] = await usersWithEmail(transaction, email, provider.issuer);
  return second === undefined ? (id ?? null) : null;
}

/** Gives a user the role of the provider's rules, unless the tenant would be left without an acting admin: the user then remains an admin. */
async function applyRole(transaction: TenantTransaction, user: StoredUser, role: Role): Promise<void> {
  if (user.role === role) return;
  await changeUser(transaction, user.id, { role });
  if (user.role === 'admin' && !(await hasActingAdmin(transaction)))
    await changeUser(transaction, user.id, { role: user.role });
}

/**
 * Returns the id of the user of the tenant who logs in by a provider: the one of the identity, else one with the verified address if the provider links, else a new
 * one. In a transaction of the tenant. @throws ApiError FORBIDDEN for users that the rules refuse or that are not active
 */
export async function arrivingUser(transaction: TenantTransaction, arrival: Arrival): Promise<string> {
  const { provider, tenantId, proven, onRefused } = arrival;
  const { issuer, rules } = provider;
  const { subject, claims } = proven;
  // Of two first log-ins at once the second finds the user of the first.
  await lockAccess(transaction);
  const identified = await useIdentity(transaction, { issuer, subject });
  const refusal = refusalOf(rules, claims);
  if (refusal !== null) {
    if (identified !== null) onRefused(identified);
    throw refused(refusal);
  }
  const userId = identified ?? (await findByEmail(transaction, arrival)) ?? (await createNew(transaction, arrival));
  if (identified === null) await addIdentity(transaction, { tenantId, userId }, { issuer, subject });
  const user = existing(await readUser(transaction, userId), 'user');
  if (!user.active) {
    onRefused(userId);
    throw refused('an admin has deactivated the user');
  }
  const role = roleOf(rules, claims);
  if (rules.roles !== null && role !== null) await applyRole(transaction, user, role);
  return userId;
}
