import { z } from 'zod';
import { SCOPES } from '../../../domain/access.ts';
import type { Bounds, Scope } from '../../../domain/access.ts';
import { newId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { keySha256, newKey, prefixOf } from './secrets.ts';

const keyRow = z
  .object({
    id: z.string(),
    userId: z.string(),
    user: z.object({ username: z.string() }),
    name: z.string(),
    prefix: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    namespaces: z.array(z.string()),
    projects: z.array(z.string()),
    createdBy: z.string().nullable(),
    createdAt: z.date(),
    expiresAt: z.date().nullable(),
    requestsPerMinute: z.number().nullable(),
    lastUsedAt: z.date().nullable(),
    revokedAt: z.date().nullable(),
    replacedBy: z.string().nullable(),
  })
  .transform(({ user, ...key }) => ({ ...key, username: user.username }));

/** A key without its secret. */
export type StoredKey = z.output<typeof keyRow>;

const WITH_USER = { user: { select: { username: true } } } as const;

/** Returns a page of keys, newest first, and their number. `ended`: include revoked and expired ones. */
export async function listKeys(
  transaction: TenantTransaction,
  {
    userId,
    ended,
    page,
    limit,
  }: {
    readonly userId: string | undefined;
    readonly ended: boolean;
    readonly page: number;
    readonly limit: number;
  },
): Promise<{ rows: StoredKey[]; total: number }> {
  const where = {
    ...(userId !== undefined && { userId }),
    ...(!ended && { revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }] }),
  };
  const rows = await transaction.apiKey.findMany({
    where,
    orderBy: { id: 'desc' },
    skip: (page - 1) * limit,
    take: limit,
    include: WITH_USER,
  });
  return { rows: z.array(keyRow).parse(rows), total: await transaction.apiKey.count({ where }) };
}

/** Returns a key of the tenant; null if there is none with this id. */
export async function readKey(transaction: TenantTransaction, id: string): Promise<StoredKey | null> {
  return keyRow.nullable().parse(await transaction.apiKey.findUnique({ where: { id }, include: WITH_USER }));
}

/** A key to be created. */
export interface KeyWish {
  readonly tenantId: TenantId;
  readonly userId: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly bounds: Bounds | null;
  readonly expiresAt: Date | null;
  readonly requestsPerMinute: number | null;
  readonly createdBy: string;
}

/** Creates a key. Returns its id and the key, which is not stored. */
export async function createKey(
  transaction: TenantTransaction,
  { scopes, bounds, ...wish }: KeyWish,
): Promise<{ readonly id: string; readonly key: string }> {
  const [id, key] = [newId(), newKey()];
  const secret = { prefix: prefixOf(key), keySha256: new Uint8Array(keySha256(key)) };
  const lists = {
    scopes: [...new Set(scopes)],
    namespaces: [...new Set(bounds?.namespaces)],
    projects: [...new Set(bounds?.projects)],
  };
  await transaction.apiKey.create({ data: { id, ...wish, ...secret, ...lists } });
  return { id, key };
}

/** Changes a key; undefined fields are unchanged. */
export async function changeKey(
  transaction: TenantTransaction,
  id: string,
  change: {
    readonly name?: string | undefined;
    readonly expiresAt?: Date | null | undefined;
    readonly requestsPerMinute?: number | null | undefined;
  },
): Promise<void> {
  const data = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
  await transaction.apiKey.update({ where: { id }, data });
}

/** Revokes a key. A revoked one is unchanged. */
export async function revokeKey(transaction: TenantTransaction, id: string): Promise<void> {
  await transaction.apiKey.updateMany({ where: { id, revokedAt: null }, data: { revokedAt: new Date() } });
}

/** Creates a key in place of another, which ends at `endsAt` at the latest. A key with an end gets the same lifetime again, up to `latest`. */
export async function rotateKey(
  transaction: TenantTransaction,
  old: StoredKey,
  {
    tenantId,
    createdBy,
    endsAt,
    latest,
  }: Pick<KeyWish, 'tenantId' | 'createdBy'> & { readonly endsAt: Date; readonly latest: Date | null },
): Promise<{ readonly id: string; readonly key: string }> {
  const { userId, name, scopes, namespaces, projects, expiresAt, createdAt, requestsPerMinute } = old;
  const renewed = expiresAt === null ? null : new Date(Date.now() + expiresAt.getTime() - createdAt.getTime());
  const created = await createKey(transaction, {
    tenantId,
    userId,
    name,
    scopes,
    bounds: { namespaces, projects },
    requestsPerMinute,
    createdBy,
    expiresAt: latest !== null && (renewed === null || renewed > latest) ? latest : renewed,
  });
  const ends = expiresAt !== null && expiresAt < endsAt ? expiresAt : endsAt;
  await transaction.apiKey.update({ where: { id: old.id }, data: { expiresAt: ends, replacedBy: created.id } });
  return created;
}
