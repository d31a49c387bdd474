import { createHash } from 'node:crypto';
import { keyOfId, fileKey, manifestKey } from '../../domain/backup/set-keys.ts';
import type { Manifest } from './manifest.ts';
import { BackupSetError } from '../../domain/backup/sets.ts';
import { ArchiveStoreError } from '../../domain/ports/archive-store.ts';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import { unpackFile } from './packed-file.ts';
import { filesOf, readManifest, readManifestBytes } from './read-manifest.ts';
import { reportProgress } from '../heartbeat.ts';

/** Returns the key of a backup's files; null if they are not encrypted. @throws BackupSetError `no_key` */
export function keyOfSet({ encryption }: Manifest, keys: readonly Uint8Array[]): Uint8Array | null {
  if (encryption === null) return null;
  const key = keyOfId(keys, encryption.keyId);
  if (key === undefined)
    throw new BackupSetError(
      'no_key',
      `the backup is encrypted with the key ${encryption.keyId}, which is not configured`,
    );
  return key;
}

/** Verifies a backup: signature, and stored and plain bytes of every file. Returns its manifest. @throws BackupSetError, ArchiveStoreError */
export async function verifySet(
  store: ArchiveStore,
  backupId: string,
  access: { readonly trusted: readonly string[]; readonly keys: readonly Uint8Array[] },
  signal: AbortSignal,
): Promise<Manifest> {
  const manifest = await readManifest(store, backupId, access.trusted, signal);
  const key = keyOfSet(manifest, access.keys);
  for (const file of filesOf(manifest)) {
    let plainBytes = 0;
    try {
      for await (const piece of unpackFile(store, backupId, file, key, signal)) plainBytes += piece.byteLength;
    } catch (error) {
      if (error instanceof ArchiveStoreError && error.kind === 'missing')
        throw new BackupSetError('damaged', `${file.key} of the backup ${backupId} is missing`, { cause: error });
      throw error;
    }
    if (plainBytes !== file.plainBytes)
      throw new BackupSetError('damaged', `${file.key} of the backup ${backupId} has another length`);
  }
  return manifest;
}

async function sha256Of(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of bytes) {
    reportProgress();
    hash.update(piece);
  }
  return hash.digest('hex');
}

/**
 * Copies a backup into another store, files that are missing there first and the manifest last, and reads every file of the copy back. Calls
 * `onVerifying` after copying. @throws BackupSetError `damaged` if a file reads back differently, ArchiveStoreError
 */
export async function copySet(
  from: ArchiveStore,
  into: ArchiveStore,
  backupId: string,
  trusted: readonly string[],
  signal: AbortSignal,
  onVerifying: () => Promise<void>,
): Promise<void> {
  const manifest = await readManifest(from, backupId, trusted, signal);
  const manifestBytes = await readManifestBytes(from, backupId, signal);
  const files = filesOf(manifest);
  const there = new Map<string, number>();
  for await (const { key, bytes } of into.list(fileKey(backupId, ''), signal)) there.set(key, bytes);
  // A backup created again under its id: the old manifest would describe files that are being replaced.
  if (there.has(manifestKey(backupId)) && !(await readManifestBytes(into, backupId, signal)).equals(manifestBytes))
    await into.remove(manifestKey(backupId), signal);
  for (const file of files) {
    const key = fileKey(backupId, file.key);
    // A previous attempt may have copied it.
    if (there.get(key) === file.bytes && (await sha256Of(into.read(key, signal))) === file.sha256) continue;
    await into.write(key, from.read(key, signal), signal);
  }
  async function* manifestOnce(): AsyncGenerator<Uint8Array> {
    yield manifestBytes;
  }
  await onVerifying();
  for (const file of files)
    if ((await sha256Of(into.read(fileKey(backupId, file.key), signal))) !== file.sha256)
      throw new BackupSetError('damaged', `${file.key} of the copied backup ${backupId} is corrupted`);
  await into.write(manifestKey(backupId), manifestOnce(), signal);
  const back = await readManifestBytes(into, backupId, signal);
  if (!back.equals(manifestBytes))
    throw new BackupSetError('damaged', `the manifest of the copied backup ${backupId} is corrupted`);
}
