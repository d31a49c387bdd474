import { createHash } from 'node:crypto';
import type { Manifest, ManifestFile } from './manifest.ts';
import { BackupSetError } from '../../domain/backup/set-error.ts';
import { manifestKey } from '../../domain/backup/set-keys.ts';
import { readSignedManifest } from './manifest.ts';
import { ArchiveStoreError } from '../../domain/ports/archive-store.ts';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';

/** A manifest of a thousand files has some hundred KB. */
const MAX_MANIFEST_BYTES = 32 * 1024 * 1024;

/** The bytes of `manifest.json`. @throws BackupSetError `missing` or `damaged`, ArchiveStoreError */
export async function readManifestBytes(store: ArchiveStore, backupId: string, signal?: AbortSignal): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const piece of store.read(manifestKey(backupId), signal)) {
      bytes += piece.byteLength;
      if (bytes > MAX_MANIFEST_BYTES)
        throw new BackupSetError('damaged', `the manifest of the backup ${backupId} is too large`);
      pieces.push(piece);
    }
  } catch (error) {
    if (error instanceof ArchiveStoreError && error.kind === 'missing')
      throw new BackupSetError('missing', `no backup ${backupId}: manifest not found`, { cause: error });
    throw error;
  }
  return Buffer.concat(pieces, bytes);
}

/** Returns the manifest of a backup, signed by one of the trusted keys (SPKI, base64). @throws BackupSetError, ArchiveStoreError */
export async function readManifest(
  store: ArchiveStore,
  backupId: string,
  trusted: readonly string[],
  signal?: AbortSignal,
): Promise<Manifest> {
  const manifest = readSignedManifest((await readManifestBytes(store, backupId, signal)).toString('utf8'), trusted);
  if (manifest.id !== backupId)
    throw new BackupSetError('damaged', `the manifest of the backup ${backupId} belongs to another backup`);
  return manifest;
}

/** Returns all files of a backup except its manifest. */
export function filesOf({ tables, vectors }: Manifest): ManifestFile[] {
  return [...tables, ...vectors].flatMap(({ files }) => files);
}

/** Returns the SHA-256 of the stored `manifest.json`, which identifies the backup's content. @throws as `readManifestBytes` */
export async function manifestSha256Of(store: ArchiveStore, backupId: string, signal?: AbortSignal): Promise<Buffer> {
  return createHash('sha256')
    .update(await readManifestBytes(store, backupId, signal))
    .digest();
}
