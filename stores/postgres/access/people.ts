import { z } from 'zod';
import { ROLES } from '../../../domain/access.ts';
import type { TenantTransaction } from '../connection/database.ts';

export interface Person {
  readonly id: string;
  readonly username: string;
  readonly role: string;
  readonly restrictedUntil: Date | null;
}

/** Returns a user of the tenant by id or name; null if there is none. */
export async function findPerson(transaction: TenantTransaction, given: string): Promise<Person | null> {
  const where = z.uuid().safeParse(given).success ? { id: given } : { username: given };
  return transaction.user.findFirst({
    where,
    select: { id: true, username: true, role: true, restrictedUntil: true },
  });
}

/** Returns the tenant's name; null if it does not exist. */
export async function tenantName(transaction: TenantTransaction, tenantId: string): Promise<string | null> {
  return (await transaction.tenant.findUnique({ where: { id: tenantId }, select: { name: true } }))?.name ?? null;
}

/** Restricts a user until a time; null lifts the restriction. Deletes nothing; capture continues. */
export async function restrictPerson(transaction: TenantTransaction, id: string, until: Date | null): Promise<void> {
  await transaction.user.update({ where: { id }, data: { restrictedUntil: until } });
}

/** Restricts a session until a time; null lifts the restriction. */
export async function restrictSession(transaction: TenantTransaction, id: string, until: Date | null): Promise<void> {
  await transaction.session.update({ where: { id }, data: { restrictedUntil: until } });
}

const identityRow = z
  .object({
    id: z.string(),
    username: z.string(),
    email: z.string().nullable(),
    role: z.enum(ROLES),
    passwordHash: z.string().nullable(),
    tenant: z.object({ id: z.string(), name: z.string() }),
    totp: z.object({ confirmedAt: z.date().nullable() }).nullable(),
    recoveryCodes: z.array(z.unknown()),
  })
  .transform(({ passwordHash, totp, recoveryCodes, ...user }) => ({
    ...user,
    hasPassword: passwordHash !== null,
    hasTotp: totp !== null && totp.confirmedAt !== null,
    recoveryCodes: recoveryCodes.length,
  }));

/** Returns a user with the tenant and the ways to log in; null if the user does not exist. `recoveryCodes`: number of unused ones. */
export async function readIdentity(
  transaction: TenantTransaction,
  userId: string,
): Promise<z.output<typeof identityRow> | null> {
  const found = await transaction.user.findUnique({
    where: { id: userId },
    include: { tenant: true, totp: true, recoveryCodes: { where: { usedAt: null } } },
  });
  return identityRow.nullable().parse(found);
}
