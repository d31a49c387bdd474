import { pipeline, Readable } from 'node:stream';
import { createZstdCompress, createZstdDecompress } from 'node:zlib';

/** Of zstd, and of what ends too early: whoever reads it again reads the same. */
const DAMAGE = /^(?:ZSTD_|Z_)/;

/** Whether reading compressed bytes failed because they are not what was written. */
export function isPackDamage(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && DAMAGE.test(error.code);
}

// A pipeline destroys its last stream with the error of any: whoever reads that one is given it.
const leftToReader = (): void => undefined;

/** What the source gives, compressed. An error of the source ends the reading with that error. */
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
