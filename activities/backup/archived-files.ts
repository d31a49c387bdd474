import { createHash } from 'node:crypto';
import type pg from 'pg';
import { decryptFrames, encryptFrames } from '../../domain/backup/frames.ts';
import { keyIdOf, archivedFileKey } from '../../domain/backup/set-keys.ts';
import { BackupSetError } from '../../domain/backup/sets.ts';
import { ArchiveStoreError } from '../../domain/ports/archive-store.ts';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import {
  archivedFiles,
  expireExports,
  filesToCopy,
  filesToKeep,
  filesToRemove,
  deleteFileRecord,
  noteCopied,
  recordStored,
} from '../../stores/postgres/backups/backup-files.ts';
import type { FileRule } from '../../stores/postgres/backups/backup-files.ts';
import { reportProgress } from '../heartbeat.ts';

/** A file of the archive store differs from its index row or cannot be read: the backup continues without it. */
class FileLeft extends Error {
  override readonly name = 'FileLeft';
}

async function* checked(bytes: AsyncIterable<Uint8Array>, sha256: string): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const piece of bytes) {
    reportProgress();
    hash.update(piece);
    yield piece;
  }
  if (hash.digest('hex') !== sha256)
    throw new BackupSetError('damaged', 'the file of an archived session is corrupted');
}

async function* orLeft(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (cause) {
    throw new FileLeft('a file is left out', { cause });
  }
}

/**
 * Stores files of archived sessions that are not yet stored beside the backups, each verified against its index row and encrypted if backups
 * are. Returns how many could not be read: the next backup retries them. @throws ArchiveStoreError of the backup store
 */
export async function storeArchivedFiles(
  maintenance: pg.Pool,
  archives: ArchiveStore,
  store: ArchiveStore,
  key: Uint8Array | null,
  signal: AbortSignal,
): Promise<number> {
  const keyId = key === null ? null : keyIdOf(key);
  let left = 0;
  for await (const { sha256, objectKey } of filesToKeep(maintenance, keyId)) {
    reportProgress(signal);
    const plain = orLeft(checked(archives.read(objectKey, signal), sha256));
    try {
      const written = await store.write(
        archivedFileKey(sha256, keyId),
        key === null ? plain : encryptFrames(key)(plain),
        signal,
      );
      await recordStored(maintenance, { sha256, keyId, storedSha256: written.sha256 });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof FileLeft)) throw error;
      left += 1;
    }
  }
  return left;
}

/** Copies uncopied files off-site and reads each back. @throws BackupSetError `damaged`, ArchiveStoreError */
export async function copyArchivedFiles(
  maintenance: pg.Pool,
  from: ArchiveStore,
  into: ArchiveStore,
  signal: AbortSignal,
): Promise<void> {
  for (let files = await filesToCopy(maintenance); files.length > 0; files = await filesToCopy(maintenance))
    for (const file of files) {
      const key = archivedFileKey(file.sha256, file.keyId);
      await into.write(key, checked(from.read(key, signal), file.storedSha256), signal);
      for await (const _piece of checked(into.read(key, signal), file.storedSha256)) reportProgress(signal);
      await noteCopied(maintenance, file);
    }
}

/** Removes files that neither an archive nor a backup needs. @throws ArchiveStoreError */
export async function pruneArchivedFiles(
  maintenance: pg.Pool,
  stores: readonly ArchiveStore[],
  rule: FileRule,
  signal: AbortSignal,
): Promise<void> {
  for (
    let files = await filesToRemove(maintenance, rule);
    files.length > 0;
    files = await filesToRemove(maintenance, rule)
  )
    for (const file of files) {
      reportProgress(signal);
      for (const store of stores) await store.remove(archivedFileKey(file.sha256, file.keyId), signal);
      await deleteFileRecord(maintenance, file);
    }
}

/**
 * Restores missing files of archived sessions into the archive store from beside a backup, each verified against its index row. Exports, which
 * no backup contains, expire if their file is missing. Returns the numbers of files restored and files found nowhere. @throws
 * ArchiveStoreError
 */
export async function restoreArchivedFiles(
  maintenance: pg.Pool,
  archives: ArchiveStore,
  from: ArchiveStore,
  key: Uint8Array | null,
  signal: AbortSignal,
): Promise<{ readonly restored: number; readonly missing: number }> {
  const there = new Set<string>();
  for await (const { key: objectKey } of archives.list('archives/', signal)) there.add(objectKey);
  let [restored, missing] = [0, 0];
  for await (const { sha256, objectKey } of archivedFiles(maintenance)) {
    if (there.has(objectKey)) continue;
    const stored = from.read(archivedFileKey(sha256, key === null ? null : keyIdOf(key)), signal);
    try {
      await archives.write(objectKey, checked(key === null ? stored : decryptFrames(key)(stored), sha256), signal);
      restored += 1;
    } catch (error) {
      const isMissing =
        error instanceof BackupSetError || (error instanceof ArchiveStoreError && error.kind === 'missing');
      if (!isMissing) throw error;
      missing += 1;
    }
  }
  const exported: string[] = [];
  for await (const { key: objectKey } of archives.list('exports/', signal)) exported.push(objectKey);
  await expireExports(maintenance, exported);
  return { restored, missing };
}
