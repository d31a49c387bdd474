import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { decryptFrames, encryptFrames } from '../../domain/backup/frames.ts';
import type { ManifestFile } from './manifest.ts';
import { fileKey } from '../../domain/backup/set-keys.ts';
import { BackupSetError } from '../../domain/backup/sets.ts';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import { isPackDamage } from '../../stores/archive/packed.ts';
import { reportProgress } from '../heartbeat.ts';

/** Fast, and still a third of the size: at level 3 the second core was the limit. */
const LEVEL = 1;
const CHUNK_BYTES = 256 * 1024;

export interface PackTarget {
  readonly store: ArchiveStore;
  readonly backupId: string;
  /** Null: files are not encrypted. */
  readonly key: Uint8Array | null;
  /** Awaited between two pieces: back-pressure for captures. */
  readonly pace: () => Promise<void>;
  readonly signal: AbortSignal;
}

function isLeft(error: unknown): boolean {
  return (
    error instanceof Error &&
    (error.name === 'AbortError' || ('code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE'))
  );
}

/** Writes a plain stream as a file of a backup: compressed, and encrypted if there is a key. `rows` is called after the last piece. */
export async function packFile(
  target: PackTarget,
  key: string,
  plain: AsyncIterable<Uint8Array>,
  rows: () => number | Promise<number>,
): Promise<ManifestFile> {
  const { store, backupId, signal } = target;
  const plainHash = createHash('sha256');
  let plainBytes = 0;
  const counted = async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of source) {
      await target.pace();
      reportProgress();
      plainHash.update(piece);
      plainBytes += piece.byteLength;
      yield piece;
    }
  };
  const compressed = createZstdCompress({
    chunkSize: CHUNK_BYTES,
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 },
  });
  const stored = target.key === null ? compressed : encryptFrames(target.key)(compressed);
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const feeding = pipeline(plain, counted, compressed, { signal: either });
  const writing = store.write(fileKey(backupId, key), stored, either);
  // The first failure is the reason; the other pipeline then ends.
  const stop = (error: unknown): never => {
    failed.abort(error);
    throw error;
  };
  // A failing store stops reading before it rejects: without this, a full disk would be reported as a closed stream.
  const fedOrLeft = feeding.catch((error: unknown) => (isLeft(error) ? writing.then(() => stop(error)) : stop(error)));
  const [fed, wrote] = await Promise.allSettled([fedOrLeft, writing.catch(stop)]);
  signal.throwIfAborted();
  if (failed.signal.aborted) throw failed.signal.reason;
  if (fed.status === 'rejected') throw fed.reason;
  if (wrote.status === 'rejected') throw wrote.reason;
  return {
    key,
    bytes: wrote.value.bytes,
    sha256: wrote.value.sha256,
    plainBytes,
    plainSha256: plainHash.digest('hex'),
    rows: await rows(),
  };
}

/**
 * Yields the plain bytes of a file of a backup and verifies the hashes at its end. @throws BackupSetError `damaged` or `no_key`,
 * ArchiveStoreError
 */
export async function* unpackFile(
  store: ArchiveStore,
  backupId: string,
  file: ManifestFile,
  key: Uint8Array | null,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const storedHash = createHash('sha256');
  const plainHash = createHash('sha256');
  const damaged = (cause?: unknown): BackupSetError =>
    new BackupSetError('damaged', `${file.key} of the backup ${backupId} is corrupted`, { cause });
  const stored = async function* (): AsyncGenerator<Uint8Array> {
    for await (const piece of store.read(fileKey(backupId, file.key), signal)) {
      storedHash.update(piece);
      yield piece;
    }
  };
  const plain = createZstdDecompress({ chunkSize: CHUNK_BYTES });
  const feeding = pipeline(key === null ? stored() : decryptFrames(key)(stored()), plain);
  // Reading `plain` fails as well: awaited below.
  const fed = feeding.then(
    () => null,
    (error: unknown) => error,
  );
  try {
    for await (const piece of plain) {
      reportProgress();
      plainHash.update(piece);
      yield piece;
    }
  } catch (error) {
    const cause = (await fed) ?? error;
    if (isPackDamage(cause)) throw damaged(cause);
    throw cause;
  }
  if (storedHash.digest('hex') !== file.sha256 || plainHash.digest('hex') !== file.plainSha256) throw damaged();
}
