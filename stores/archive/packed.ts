import { pipeline, Readable } from 'node:stream';
import { createZstdCompress, createZstdDecompress } from 'node:zlib';

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
