import { z } from 'zod';
import { newId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { Database, TenantTransaction } from '../connection/database.ts';
import { rowOf, tenantColumn } from '../connection/rows.ts';

const passkeyRow = z.object({
  id: z.string(),
  name: z.string(),
  synced: z.boolean(),
  credentialId: z.instanceof(Uint8Array),
  lastUsedAt: z.date().nullable(),
  createdAt: z.date(),
});

/** A passkey without its public key. */
export type StoredPasskey = z.output<typeof passkeyRow>;

const SHOWN = {
  id: true,
  name: true,
  synced: true,
  credentialId: true,
  lastUsedAt: true,
  createdAt: true,
} as const;

/** Returns the passkeys of a user, newest first. */
export async function listPasskeys(transaction: TenantTransaction, userId: string): Promise<StoredPasskey[]> {
  const rows = await transaction.passkey.findMany({ where: { userId }, orderBy: { id: 'desc' }, select: SHOWN });
  return z.array(passkeyRow).parse(rows);
}

/** A passkey that an authenticator created. */
export interface NewPasskey {
  readonly tenantId: TenantId;
  readonly userId: string;
  readonly credentialId: Uint8Array<ArrayBuffer>;
  /** COSE. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  readonly signCount: number;
  readonly name: string;
  readonly synced: boolean;
}

/** Stores a passkey; returns null if the instance has it already. */
export async function addPasskey(transaction: TenantTransaction, passkey: NewPasskey): Promise<StoredPasskey | null> {
  const rows = await transaction.passkey.createManyAndReturn({
    data: { id: newId(), ...passkey },
    skipDuplicates: true,
    select: SHOWN,
  });
  return z.array(passkeyRow).parse(rows)[0] ?? null;
}

/** Renames a passkey of a user and returns it; null if the user does not have it. */
export async function renamePasskey(
  transaction: TenantTransaction,
  userId: string,
  { id, name }: { readonly id: string; readonly name: string },
): Promise<StoredPasskey | null> {
  const rows = await transaction.passkey.updateManyAndReturn({ where: { id, userId }, data: { name }, select: SHOWN });
  return z.array(passkeyRow).parse(rows)[0] ?? null;
}

/** Deletes a passkey of a user and returns it; null if the user does not have it. */
export async function removePasskey(
  transaction: TenantTransaction,
  userId: string,
  id: string,
): Promise<StoredPasskey | null> {
  const passkey = await transaction.passkey.findFirst({ where: { id, userId }, select: SHOWN });
  if (passkey !== null) await transaction.passkey.deleteMany({ where: { id } });
  return passkeyRow.nullable().parse(passkey);
}

/** Deletes the passkeys of a user. Returns false if there were none. */
export async function removePasskeys(transaction: TenantTransaction, userId: string): Promise<boolean> {
  return (await transaction.passkey.deleteMany({ where: { userId } })).count > 0;
}

const foundRow = rowOf({
  id: z.string(),
  tenant_id: tenantColumn,
  user_id: z.string(),
  public_key: z.instanceof(Uint8Array).transform((bytes) => new Uint8Array(bytes)),
  sign_count: z.coerce.number(),
  auth_version: z.number(),
});

/** A passkey with what a log-in needs. */
export type FoundPasskey = z.output<typeof foundRow>;

/** Returns a passkey by its credential; null if it is unknown, or its user or tenant is not active. */
export async function findPasskey({ pool }: Database, credentialId: Uint8Array): Promise<FoundPasskey | null> {
  const { rows } = await pool.query(
    'SELECT id, tenant_id, user_id, public_key, sign_count, auth_version FROM find_passkey($1)',
    [credentialId],
  );
  return z.array(foundRow).parse(rows)[0] ?? null;
}

/** Records a log-in. Returns false if another one has counted as far: a copy of the authenticator is in use. */
export async function usePasskey(transaction: TenantTransaction, id: string, signCount: number): Promise<boolean> {
  const { count } = await transaction.passkey.updateMany({
    where: { id, OR: [{ signCount: { lt: signCount } }, ...(signCount === 0 ? [{ signCount: 0 }] : [])] },
    data: { signCount, lastUsedAt: new Date() },
  });
  return count === 1;
}
