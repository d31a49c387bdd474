import type { Manifest, ManifestFile } from './manifest.ts';
import { fingerprintOf, signedManifestSchema, readSignedManifest } from './manifest.ts';
import { BackupSetError } from '../../domain/backup/sets.ts';
import { openQueries } from './fixed-queries.ts';
import { setOfKey, SETS_PREFIX, manifestKey } from '../../domain/backup/set-keys.ts';
import { ArchiveStoreError } from '../../domain/ports/archive-store.ts';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import { knownMigrations } from '../../prisma/known-migrations.ts';
import { unpackFile } from './packed-file.ts';
import { readManifestBytes } from './read-manifest.ts';
import { keyOfSet } from './verify-set.ts';

/** Access to backups. */
export interface SetReading {
  readonly store: ArchiveStore;
  /** Decryption keys of 32 bytes. */
  readonly keys: readonly Uint8Array[];
  /** Trusted signers: public keys, SPKI in base64. */
  readonly trusted: readonly string[];
  /** Fingerprint of one more trusted signer, from the request. */
  readonly signer: string | null;
}

export interface ReadableSet {
  /** Signer: SPKI, base64. */
  readonly publicKey: string;
  /** Key of its files; null: not encrypted. */
  readonly key: Uint8Array | null;
  /** With its queries decrypted. */
  readonly manifest: Manifest;
  /**
   * Yields a file before compression and encryption. Use its bytes only after it ends without an error: every byte is then verified. @throws
   * BackupSetError `damaged`, naming the file; ArchiveStoreError
   */
  read(file: ManifestFile, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Returns the id of the newest complete backup; null if there is none. @throws ArchiveStoreError */
export async function newestSet(store: ArchiveStore, signal: AbortSignal): Promise<string | null> {
  let newest: string | null = null;
  for await (const { key } of store.list(SETS_PREFIX, signal)) {
    const id = setOfKey(key);
    // Version 7 ids sort by start time.
    if (id !== null && key === manifestKey(id) && (newest === null || id > newest)) newest = id;
  }
  return newest;
}

/** Returns the signer's public key, trusted or not; null if the text is not a manifest. */
function signerOf(text: string): string | null {
  try {
    const signed = signedManifestSchema.safeParse(JSON.parse(text));
    return signed.success ? signed.data.publicKey : null;
  } catch {
    // Reading it as a manifest reports the fault.
    return null;
  }
}

/**
 * Opens a backup whose manifest is complete, signed by a trusted key, of a known schema, and whose key is available. @throws BackupSetError,
 * ArchiveStoreError
 */
export async function openSet(reading: SetReading, backupId: string, signal: AbortSignal): Promise<ReadableSet> {
  const text = (await readManifestBytes(reading.store, backupId, signal)).toString('utf8');
  const signer = signerOf(text);
  const isNamed = signer !== null && fingerprintOf(signer) === reading.signer;
  const manifest = readSignedManifest(text, isNamed ? [...reading.trusted, signer] : reading.trusted);
  if (manifest.id !== backupId) throw new BackupSetError('damaged', 'manifest.json belongs to another backup');
  const known = new Set(knownMigrations());
  const unknown = manifest.migrations.find((name) => !known.has(name));
  if (unknown !== undefined)
    throw new BackupSetError('newer', `the backup has the unknown migration ${unknown}: update this instance`);
  const key = keyOfSet(manifest, reading.keys);
  return {
    publicKey: signer ?? '',
    key,
    manifest: key === null ? manifest : { ...manifest, queries: openQueries(manifest.queries, key, backupId) },
    async *read(file, signal) {
      try {
        yield* unpackFile(reading.store, backupId, file, key, signal);
      } catch (error) {
        if (error instanceof ArchiveStoreError && error.kind === 'missing')
          throw new BackupSetError('damaged', `${file.key} of the backup ${backupId} is missing`, { cause: error });
        if (error instanceof BackupSetError && !error.message.startsWith(file.key))
          throw new BackupSetError(error.kind, `${file.key} of the backup ${backupId}: ${error.message}`, {
            cause: error,
          });
        throw error;
      }
    },
  };
}

/** Reads files to their end to find damage before anything changes. @throws BackupSetError, ArchiveStoreError */
export async function readThrough(
  set: ReadableSet,
  files: readonly ManifestFile[],
  onFile: (file: ManifestFile) => void,
  signal: AbortSignal,
): Promise<void> {
  for (const file of files) {
    let bytes = 0;
    for await (const piece of set.read(file, signal)) bytes += piece.byteLength;
    if (bytes !== file.plainBytes)
      throw new BackupSetError('damaged', `${file.key} of the backup ${set.manifest.id} has another length`);
    onFile(file);
  }
}
