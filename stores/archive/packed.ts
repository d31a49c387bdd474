import { pipeline, Readable } from 'node:stream';
import { createZstdCompress, createZstdDecompress } from 'node:zlib';
import { ArchiveStoreError } from '../../domain/ports/archive-store.ts';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';

/** Codes of zstd and of a truncated stream: permanent. */
const DAMAGE = /^(?:ZSTD_|Z_)/;

/** Returns true if compressed bytes are corrupted. */
export function isPackDamage(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && DAMAGE.test(error.code);
}

// A pipeline destroys its last stream with any error: the stream's reader receives it.
const leftToReader = (): void => undefined;

/** Compresses the source. An error of the source ends the stream with that error. */
export function packed(source: AsyncIterable<string | Uint8Array>): Readable {
  const compressed = createZstdCompress();
  pipeline(Readable.from(source), compressed, leftToReader);
  return compressed;
}

/** The bytes that were compressed. Errors of the source as they are, and those that `isPackDamage` knows. */
export function unpacked(source: AsyncIterable<Uint8Array>): Readable {
  const plain = createZstdDecompress();
  pipeline(Readable.from(source), plain, leftToReader);
  return plain;
}

/** As the notes in cut values say (domain/capture/well-formed.ts); nothing of it is written otherwise in JSON. */
const NOTE = /bytes in all \(sha256:([0-9a-f]{64})\), the middle is left out/g;
/** Longer than a note: finds notes that span two pieces. */
const OVERLAP_CHARS = 200;

/**
 * Returns the hashes of the full values of truncated rows in an archive. For a missing or damaged object it returns those that are readable, because the object
 * is deleted anyway. @throws ArchiveStoreError if the store is unavailable
 */
export async function fullValuesIn(archives: ArchiveStore, key: string, signal?: AbortSignal): Promise<string[]> {
  const found = new Set<string>();
  const text = unpacked(archives.read(key, signal)).setEncoding('utf8');
  let tail = '';
  try {
    for await (const piece of text) {
      const window = tail + String(piece);
      for (const [, sha256] of window.matchAll(NOTE)) if (sha256 !== undefined) found.add(sha256);
      tail = window.slice(-OVERLAP_CHARS);
    }
  } catch (error) {
    const isMissing = error instanceof ArchiveStoreError && error.kind === 'missing';
    if (!isMissing && !isPackDamage(error)) throw error;
  }
  return [...found];
}
