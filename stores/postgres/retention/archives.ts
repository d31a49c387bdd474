import { v7 } from 'uuid';
import { z } from 'zod';
import type { ArchiveStore } from '../../../domain/ports/archive-store.ts';
import { fullValueKey } from '../../../domain/ports/object-store.ts';
import type { ObjectStore } from '../../../domain/ports/object-store.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { fullValuesIn } from '../../archive/packed.ts';
import type { TenantTransaction } from '../connection/database.ts';
import { hexColumn } from '../connection/rows.ts';
import { namedValues } from './expired-full-values.ts';
import { restrictedUsers, restrictedSessions } from '../erasure/restricted.ts';

const COLUMNS = {
  id: true,
  sessionId: true,
  projectId: true,
  title: true,
  heads: true,
  startedAt: true,
  endedAt: true,
  counts: true,
  objectKey: true,
  objectBytes: true,
  objectSha256: true,
  linesSha256: true,
  createdAt: true,
} as const;
const archiveRow = z.object({
  id: z.string(),
  sessionId: z.string(),
  projectId: z.string().nullable(),
  title: z.string(),
  heads: z.string(),
  startedAt: z.date(),
  endedAt: z.date(),
  /** Rows by table. */
  counts: z.record(z.string(), z.number()),
  objectKey: z.string(),
  objectBytes: z.coerce.number(),
  /** Of the object and of the lines in it. */
  objectSha256: hexColumn,
  linesSha256: hexColumn,
  createdAt: z.date(),
});

/** The index line of an archived session. */
export type StoredArchive = Readonly<z.output<typeof archiveRow>>;

/** Returns the prefix of the keys of all objects of a session; keys written before attempts had names are `SESSION.ndjson.zst`. */
function keysOf(tenantId: string, sessionId: string): string {
  return `archives/${tenantId}/${sessionId}.`;
}

/**
 * Returns the key under which an attempt to archive a session writes its rows. Each attempt has its own key: the lock that separates attempts ends with its
 * connection, and an attempt that lost it must neither overwrite nor delete an object that another attempt verified.
 */
export function archiveKey(tenantId: string, sessionId: string, attempt: string): string {
  return `${keysOf(tenantId, sessionId)}${attempt}.ndjson.zst`;
}

/**
 * Returns all objects of a session in the store, and the one that its index line names (null: no line). Interrupted attempts leave objects that
 * no line names. @throws ArchiveStoreError
 */
export async function objectsOfSession(
  archives: ArchiveStore,
  tenantId: string,
  sessionId: string,
  named: string | null,
  signal?: AbortSignal,
): Promise<string[]> {
  const keys = new Set(named === null ? [] : [named]);
  for await (const { key } of archives.list(keysOf(tenantId, sessionId), signal)) keys.add(key);
  return [...keys];
}

/** Returns an archive by its own id or its session's; null if the tenant has none. */
export async function readArchive(transaction: TenantTransaction, id: string): Promise<StoredArchive | null> {
  const row = await transaction.archive.findFirst({ where: { OR: [{ id }, { sessionId: id }] }, select: COLUMNS });
  return row === null ? null : archiveRow.parse(row);
}

export interface ArchivePage {
  /** Words of title and heads; null: the newest first. */
  readonly question: string | null;
  readonly limit: number;
  readonly offset: number;
}

const hitRow = z.object({ id: z.string(), total: z.coerce.number() });

/** Archived sessions by their index lines, and how many there are. */
export async function listArchives(
  transaction: TenantTransaction,
  tenantId: TenantId,
  { question, limit, offset }: ArchivePage,
): Promise<{ readonly archives: StoredArchive[]; readonly total: number }> {
  if (question === null) {
    const [people, sessions] = [await restrictedUsers(transaction), await restrictedSessions(transaction)];
    const where = { userId: { notIn: people }, sessionId: { notIn: sessions } };
    const rows = await transaction.archive.findMany({
      where,
      orderBy: { id: 'desc' },
      take: limit,
      skip: offset,
      select: COLUMNS,
    });
    return { archives: z.array(archiveRow).parse(rows), total: await transaction.archive.count({ where }) };
  }
  const hits = z
    .array(hitRow)
    .parse(
      await transaction.$queryRaw`SELECT id, total FROM search_archives(${tenantId}::uuid, ${question}, ${limit}::integer, ${offset}::integer)`,
    );
  const rows = z
    .array(archiveRow)
    .parse(await transaction.archive.findMany({ where: { id: { in: hits.map(({ id }) => id) } }, select: COLUMNS }));
  const byId = new Map(rows.map((row) => [row.id, row]));
  return { archives: hits.flatMap(({ id }) => byId.get(id) ?? []), total: hits[0]?.total ?? 0 };
}

export type ArchiveToWrite = Omit<StoredArchive, 'id' | 'createdAt'> & {
  readonly tenantId: string;
  readonly userId: string;
  /** SHA-256 of the full values of its truncated rows. */
  readonly fullValueSha256: readonly string[];
};

/** Writes the index line of an archived session; returns its id. */
export async function writeArchive(transaction: TenantTransaction, archive: ArchiveToWrite): Promise<string> {
  const id = v7();
  await transaction.archive.create({
    data: {
      ...archive,
      id,
      counts: { ...archive.counts },
      fullValueSha256: [...archive.fullValueSha256],
      objectSha256: Buffer.from(archive.objectSha256, 'hex'),
      linesSha256: Buffer.from(archive.linesSha256, 'hex'),
    },
  });
  return id;
}

/** Returns the SHA-256 of the full values of an archived session's rows. */
export async function fullValuesOfArchive(transaction: TenantTransaction, sessionId: string): Promise<string[]> {
  const archive = await transaction.archive.findUnique({ where: { sessionId }, select: { fullValueSha256: true } });
  return archive?.fullValueSha256 ?? [];
}

/** A tenant's transactions with every user's rows: what removing needs of the database. */
export interface Tenants {
  asTenant<Result>(tenantId: TenantId, work: (transaction: TenantTransaction) => Promise<Result>): Promise<Result>;
}

/**
 * Deletes a session's archive: the full values that only its rows name, all its objects, then its index line, so that an interrupted attempt is detected and repeated.
 * Without a configured store, deletes the line only. Returns false if there is no archive. The session's row is unchanged.
 * @throws ArchiveStoreError
 */
export async function removeArchive(
  parts: { readonly database: Tenants; readonly archives: ArchiveStore | null; readonly objects: ObjectStore | null },
  tenantId: TenantId,
  sessionId: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const found = await parts.database.asTenant(tenantId, (transaction) =>
    transaction.archive.findUnique({ where: { sessionId }, select: { objectKey: true } }),
  );
  const { archives, objects } = parts;
  const named = found?.objectKey ?? null;
  const keys = archives === null ? [] : await objectsOfSession(archives, tenantId, sessionId, named, signal);
  for (const key of keys) {
    if (archives !== null && objects !== null) {
      const hashes = await fullValuesIn(archives, key, signal);
      const spared = await parts.database.asTenant(tenantId, (transaction) =>
        namedValues(transaction, hashes, sessionId),
      );
      for (const sha256 of hashes) if (!spared.has(sha256)) await objects.delete(fullValueKey(tenantId, sha256));
    }
    await archives?.remove(key, signal);
  }
  if (found !== null)
    await parts.database.asTenant(tenantId, (transaction) => transaction.archive.deleteMany({ where: { sessionId } }));
  return found !== null || keys.length > 0;
}
