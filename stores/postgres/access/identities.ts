import { z } from 'zod';
import { newId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { Database, TenantTransaction } from '../connection/database.ts';
import { tenantColumn } from '../connection/rows.ts';
import { literal } from '../projects/projects.ts';

/** A user at an OpenID Connect provider. */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
}

const identityRow = z.object({
  id: z.string(),
  issuer: z.string(),
  subject: z.string(),
  lastUsedAt: z.date().nullable(),
  createdAt: z.date(),
});

/** An identity of a user. */
export type StoredIdentity = z.output<typeof identityRow>;

const foundTenant = z.tuple([z.object({ id: tenantColumn.nullable() })]);

/** Returns the id of a tenant by name, of the operators' tenant for null; null if there is none or it is suspended. */
export async function findTenant({ pool }: Database, name: string | null): Promise<TenantId | null> {
  const { rows } = await pool.query('SELECT find_tenant($1) AS id', [name]);
  return foundTenant.parse(rows)[0].id;
}

/** Returns the id of the user of an identity, and records its use; null if no user has it. */
export async function useIdentity(transaction: TenantTransaction, identity: Identity): Promise<string | null> {
  const [used] = await transaction.userIdentity.updateManyAndReturn({
    where: { issuer: identity.issuer, subject: identity.subject },
    data: { lastUsedAt: new Date() },
    select: { userId: true },
  });
  return used?.userId ?? null;
}

/** Returns the version of the credentials of a user, for a session. */
export async function authVersionOf(transaction: TenantTransaction, userId: string): Promise<number> {
  const user = await transaction.user.findUniqueOrThrow({ where: { id: userId }, select: { authVersion: true } });
  return user.authVersion;
}

/** Adds an identity to a user. */
export async function addIdentity(
  transaction: TenantTransaction,
  owner: { readonly tenantId: TenantId; readonly userId: string },
  { issuer, subject }: Identity,
): Promise<void> {
  await transaction.userIdentity.create({ data: { id: newId(), ...owner, issuer, subject, lastUsedAt: new Date() } });
}

/** Returns the users with an email address who have no identity of the issuer; two at most. */
export async function usersWithEmail(transaction: TenantTransaction, email: string, issuer: string): Promise<string[]> {
  const users = await transaction.user.findMany({
    where: { email: { equals: literal(email), mode: 'insensitive' }, identities: { none: { issuer } } },
    select: { id: true },
    take: 2,
  });
  return users.map(({ id }) => id);
}

/** Returns the identities of a user, newest first. */
export async function listIdentities(transaction: TenantTransaction, userId: string): Promise<StoredIdentity[]> {
  const rows = await transaction.userIdentity.findMany({ where: { userId }, orderBy: { id: 'desc' } });
  return z.array(identityRow).parse(rows);
}

/** Removes an identity of a user and returns it; null if the user does not have it. */
export async function removeIdentity(
  transaction: TenantTransaction,
  userId: string,
  id: string,
): Promise<StoredIdentity | null> {
  const identity = await transaction.userIdentity.findFirst({ where: { id, userId } });
  if (identity !== null) await transaction.userIdentity.deleteMany({ where: { id } });
  return identityRow.nullable().parse(identity);
}
