import { ArchiveStoreError } from '../../domain/ports/archive-store.ts';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import { isPackDamage, unpacked } from './packed.ts';

/** As the notes in cut values say (domain/capture/well-formed.ts); nothing of it is written otherwise in JSON. */
const NOTE = /bytes in all \(sha256:([0-9a-f]{64})\), the middle is left out/g;
/** Longer than a note: one that lies across two pieces is found, too. */
const OVERLAP_CHARS = 200;

/**
 * Hashes of the whole values that the rows in an archive were cut from: they go with it. Of an object that is gone or damaged those that can be read of it: it is
 * to go nevertheless. @throws ArchiveStoreError where the store is away
 */
export async function fullValuesIn(archives: ArchiveStore, key: string, signal?: AbortSignal): Promise<string[]> {
  const found = new Set<string>();
  const text = unpacked(archives.read(key, signal)).setEncoding('utf8');
  let tail = '';
  try {
    for await (const piece of text) {
      const said = tail + String(piece);
      for (const [, sha256] of said.matchAll(NOTE)) if (sha256 !== undefined) found.add(sha256);
      tail = said.slice(-OVERLAP_CHARS);
    }
  } catch (error) {
    const isMissing = error instanceof ArchiveStoreError && error.kind === 'missing';
    if (!isMissing && !isPackDamage(error)) throw error;
  }
  return [...found];
}
