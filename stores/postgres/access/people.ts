import { z } from 'zod';
import type { TenantTransaction } from '../connection/database.ts';

export interface Person {
  readonly id: string;
  readonly username: string;
  readonly role: string;
  readonly restrictedUntil: Date | null;
}

/** A person of the tenant by id or by name; null for nobody. */
export async function findPerson(transaction: TenantTransaction, given: string): Promise<Person | null> {
  const where = z.uuid().safeParse(given).success ? { id: given } : { username: given };
  return transaction.user.findFirst({
    where,
    select: { id: true, username: true, role: true, restrictedUntil: true },
  });
}

/** Whether nobody else could administer the tenant. */
export async function isLastAdmin(transaction: TenantTransaction, { id, role }: Person): Promise<boolean> {
  if (role !== 'admin') return false;
  return (await transaction.user.count({ where: { role: 'admin', active: true, id: { not: id } } })) === 0;
}

/** The tenant's own name; null when it is gone. */
export async function tenantName(transaction: TenantTransaction, tenantId: string): Promise<string | null> {
  return (await transaction.tenant.findUnique({ where: { id: tenantId }, select: { name: true } }))?.name ?? null;
}

/** Hides all of a person, or shows it again with null. Nothing is deleted, and capture goes on. */
export async function restrictPerson(transaction: TenantTransaction, id: string, until: Date | null): Promise<void> {
  await transaction.user.update({ where: { id }, data: { restrictedUntil: until } });
}

/** Hides a session, or shows it again with null. */
export async function restrictSession(transaction: TenantTransaction, id: string, until: Date | null): Promise<void> {
  await transaction.session.update({ where: { id }, data: { restrictedUntil: until } });
}
