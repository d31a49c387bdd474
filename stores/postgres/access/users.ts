import { z } from 'zod';
import { ROLES } from '../../../domain/access.ts';
import type { Role } from '../../../domain/access.ts';
import { newId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { literal } from '../projects/projects.ts';

const userRow = z
  .object({
    id: z.string(),
    username: z.string(),
    email: z.string().nullable(),
    role: z.enum(ROLES),
    active: z.boolean(),
    createdAt: z.date(),
    invites: z.array(z.object({ expiresAt: z.date() })),
  })
  .transform(({ invites, ...user }) => ({ ...user, inviteExpiresAt: invites[0]?.expiresAt ?? null }));

/** A user as admins see it, with the end of the invite that can be accepted. */
export type StoredUser = z.output<typeof userRow>;

/** Columns of a user, with the invite that can be accepted. */
function shown() {
  return {
    id: true,
    username: true,
    email: true,
    role: true,
    active: true,
    createdAt: true,
    invites: { where: { acceptedAt: null, expiresAt: { gt: new Date() } }, select: { expiresAt: true } },
  } as const;
}

/** Serialises changes of users and keys of a tenant, so that two of them cannot leave it without an admin. */
export async function lockAccess(transaction: TenantTransaction): Promise<void> {
  await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('access ' || current_tenant_id()::text, 0))`;
}

/** Users who have a way to log in. */
const LOGS_IN = [{ passwordHash: { not: null } }, { identities: { some: {} } }, { passkeys: { some: {} } }];

/** A key or a user that does not count. */
export interface Except {
  readonly keyId?: string;
  readonly userId?: string;
}

/**
 * Returns true if an active admin of the tenant has a key of the scope admin or a way to log in, apart from `except`: without one the tenant could not restore access.
 */
export async function hasActingAdmin(transaction: TenantTransaction, { keyId, userId }: Except = {}): Promise<boolean> {
  const key = {
    revokedAt: null,
    scopes: { has: 'admin' },
    OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }],
    ...(keyId !== undefined && { id: { not: keyId } }),
  };
  const acting = await transaction.user.findFirst({
    where: {
      role: 'admin',
      active: true,
      OR: [...LOGS_IN, { apiKeys: { some: key } }],
      ...(userId !== undefined && { id: { not: userId } }),
    },
    select: { id: true },
  });
  return acting !== null;
}

/** Returns true if an admin of the tenant has joined, even if that admin can do nothing any more: from then on, admins of the tenant alone give access to it. */
export async function hasJoinedAdmin(transaction: TenantTransaction): Promise<boolean> {
  const joined = [{ lastLoginAt: { not: null } }, { invites: { some: { acceptedAt: { not: null } } } }];
  const admin = await transaction.user.findFirst({
    where: { role: 'admin', OR: [...LOGS_IN, ...joined, { apiKeys: { some: {} } }] },
    select: { id: true },
  });
  return admin !== null;
}

/** A part of the users of a tenant. */
export interface UserQuery {
  /** Text to find in names and addresses. */
  readonly search: string | undefined;
  readonly active: boolean | undefined;
  readonly page: number;
  readonly limit: number;
}

/** Returns a page of users by name, and their number. */
export async function listUsers(
  transaction: TenantTransaction,
  { search, active, page, limit }: UserQuery,
): Promise<{ rows: StoredUser[]; total: number }> {
  const words = search === undefined ? undefined : { contains: literal(search), mode: 'insensitive' as const };
  const where = {
    ...(active !== undefined && { active }),
    ...(words !== undefined && { OR: [{ username: words }, { email: words }] }),
  };
  const rows = await transaction.user.findMany({
    where,
    orderBy: { username: 'asc' },
    skip: (page - 1) * limit,
    take: limit,
    select: shown(),
  });
  return { rows: z.array(userRow).parse(rows), total: await transaction.user.count({ where }) };
}

/** Returns the id of the active admin who was added first; null if there is none. */
export async function firstAdmin(transaction: TenantTransaction): Promise<string | null> {
  const where = { role: 'admin', active: true };
  const found = await transaction.user.findFirst({ where, orderBy: { id: 'asc' }, select: { id: true } });
  return found?.id ?? null;
}

/** Returns a user of the tenant; null if there is none with this id. */
export async function readUser(transaction: TenantTransaction, id: string): Promise<StoredUser | null> {
  return userRow.nullable().parse(await transaction.user.findUnique({ where: { id }, select: shown() }));
}

/** Creates an active user without a password; returns the id, or null if the name is taken. */
export async function createUser(
  transaction: TenantTransaction,
  user: {
    readonly tenantId: TenantId;
    readonly username: string;
    readonly email: string | null;
    readonly role: Role;
  },
): Promise<string | null> {
  const id = newId();
  const { count } = await transaction.user.createMany({ data: { id, ...user }, skipDuplicates: true });
  return count === 0 ? null : id;
}

/** Changes a user; undefined fields are unchanged. */
export async function changeUser(
  transaction: TenantTransaction,
  id: string,
  change: {
    readonly role?: Role | undefined;
    readonly active?: boolean | undefined;
    readonly email?: string | null | undefined;
  },
): Promise<void> {
  const data = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
  // Sessions of a deactivated user remain ended after the activation.
  const ending = change.active === false ? { authVersion: { increment: 1 } } : {};
  await transaction.user.update({ where: { id }, data: { ...data, ...ending } });
}
