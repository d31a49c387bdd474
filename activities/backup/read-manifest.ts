import { createHash } from 'node:crypto';
import { readSignedManifest } from './manifest.ts';
import type { Manifest, ManifestFile } from './manifest.ts';
import { BackupSetError } from '../../domain/backup/sets.ts';
import type { CurrentSet } from '../../domain/backup/sets.ts';
import { manifestKey, setOfKey, setPrefix, SETS_PREFIX } from '../../domain/backup/set-keys.ts';
import { ArchiveStoreError } from '../../domain/ports/archive-store.ts';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import { reportProgress } from '../heartbeat.ts';

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

interface StoredSets {
  /** With a manifest, by its time. */
  readonly complete: readonly CurrentSet[];
  /** Without one, by the time of the last object: abandoned or being written. */
  readonly incomplete: readonly CurrentSet[];
}

/** Lists the backups of a store. @throws ArchiveStoreError */
export async function listSets(store: ArchiveStore, signal?: AbortSignal): Promise<StoredSets> {
  const seen = new Map<string, Date>();
  const complete: CurrentSet[] = [];
  for await (const { key, modifiedAt } of store.list(SETS_PREFIX, signal)) {
    const id = setOfKey(key);
    if (id === null) continue;
    const last = seen.get(id);
    if (last === undefined || last < modifiedAt) seen.set(id, modifiedAt);
    if (key === manifestKey(id)) complete.push({ id, at: modifiedAt });
  }
  for (const { id } of complete) seen.delete(id);
  return { complete, incomplete: [...seen].map(([id, at]) => ({ id, at })) };
}

/** Removes a backup, its manifest first, so that an interrupted removal leaves an incomplete one. @throws ArchiveStoreError */
export async function removeSet(store: ArchiveStore, backupId: string, signal?: AbortSignal): Promise<void> {
  await store.remove(manifestKey(backupId), signal);
  const keys: string[] = [];
  for await (const { key } of store.list(setPrefix(backupId), signal)) keys.push(key);
  for (const key of keys) {
    reportProgress(signal);
    await store.remove(key, signal);
  }
}
