import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { Dirent } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { ArchiveStoreError } from '../../domain/ports/archive-store.ts';
import type { ArchiveStore, ArchiveStoreErrorKind } from '../../domain/ports/archive-store.ts';
import { syncFolder, syncFoldersAbove } from '../files/directory-store.ts';
import { checkKey, checkPrefix } from './archive-keys.ts';

const OWNER_FILE = 0o600;
const OWNER_FOLDER = 0o700;
/** Files that are being written: no key begins with a dot. */
const UNFINISHED = '.unfinished';
const READ_BYTES = 256 * 1024;
/** An unfinished file without a write for this long belongs to a killed process. */
const LEFT_MS = 24 * 3_600_000;
const SWEEP_MS = 3_600_000;

const KINDS: Readonly<Record<string, ArchiveStoreErrorKind>> = {
  ENOENT: 'missing',
  ENOSPC: 'full',
  EDQUOT: 'full',
  EFBIG: 'full',
  EACCES: 'refused',
  EPERM: 'refused',
  EROFS: 'refused',
};

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Maps an error of the file system to an ArchiveStoreError; returns other errors unchanged. */
function portError(error: unknown, what: string): unknown {
  const code = codeOf(error);
  if (code === undefined || error instanceof RangeError || !/^E[A-Z]+$/.test(code)) return error;
  return new ArchiveStoreError(KINDS[code] ?? 'unavailable', `${what}: ${code}`, { cause: error });
}

/** Deletes unfinished files of killed processes: daily interrupted backups would fill the disk. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    // Another process can delete or finish the file at the same time.
    const found = await stat(file).catch(() => null);
    // Not fatal: the next sweep retries.
    if (found !== null && found.mtimeMs < Date.now() - LEFT_MS) await rm(file, { force: true }).catch(() => undefined);
  }
}

/**
 * Objects as files under `root`, readable by their owner only, named by their keys. A file is written under another name, synced and renamed, so that a
 * reader sees the complete file or none, also after a crash.
 */
export function createDirectoryArchive(root: string): ArchiveStore {
  const fileOf = (key: string): string => {
    checkKey(key);
    return path.join(root, key);
  };

  let sweptAt = Number.NEGATIVE_INFINITY;

  const writeBeside = async (beside: string, source: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined) => {
    const hash = createHash('sha256');
    let bytes = 0;
    const handle = await open(beside, 'wx', OWNER_FILE);
    try {
      for await (const piece of source) {
        signal?.throwIfAborted();
        hash.update(piece);
        bytes += piece.byteLength;
        await handle.writeFile(piece);
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    return { bytes, sha256: hash.digest('hex') };
  };

  return {
    address: root,
    async write(key, source, signal) {
      const file = fileOf(key);
      const beside = path.join(root, UNFINISHED, randomUUID());
      try {
        await mkdir(path.dirname(beside), { recursive: true, mode: OWNER_FOLDER });
        if (performance.now() - sweptAt > SWEEP_MS) {
          sweptAt = performance.now();
          await sweep(path.dirname(beside));
        }
        const written = await writeBeside(beside, source, signal);
        const folder = path.dirname(file);
        const firstMade = await mkdir(folder, { recursive: true, mode: OWNER_FOLDER });
        await rename(beside, file);
        await syncFolder(folder);
        await syncFoldersAbove(folder, firstMade);
        return written;
      } catch (error) {
        // The first error is thrown, not one of the clean-up.
        await rm(beside, { force: true }).catch(() => undefined);
        throw portError(error, `${key} could not be written`);
      }
    },
    async *read(key, signal) {
      const stream = createReadStream(fileOf(key), {
        highWaterMark: READ_BYTES,
        ...(signal === undefined ? {} : { signal }),
      });
      try {
        for await (const piece of stream) yield Buffer.isBuffer(piece) ? piece : Buffer.from(String(piece));
      } catch (error) {
        throw portError(error, `${key} could not be read`);
      }
    },
    async *list(prefix, signal) {
      checkPrefix(prefix);
      // Skips folders that cannot contain such a key.
      const walk = async function* (folder: string): AsyncGenerator<string> {
        let entries: Dirent[];
        try {
          entries = await readdir(path.join(root, folder), { withFileTypes: true });
        } catch (error) {
          if (codeOf(error) === 'ENOENT') return;
          throw error;
        }
        const named = entries.map((entry) => ({
          key: `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`,
          isFolder: entry.isDirectory(),
        }));
        for (const { key, isFolder } of named.toSorted((a, b) => (a.key < b.key ? -1 : 1))) {
          signal?.throwIfAborted();
          if (key.startsWith('.')) continue;
          if (isFolder && (key.startsWith(prefix) || prefix.startsWith(key))) yield* walk(key);
          else if (!isFolder && key.startsWith(prefix)) yield key;
        }
      };
      try {
        for await (const key of walk('')) {
          const found = await stat(path.join(root, key)).catch((error: unknown) => {
            if (codeOf(error) === 'ENOENT') return null;
            throw error;
          });
          if (found !== null) yield { key, bytes: found.size, modifiedAt: found.mtime };
        }
      } catch (error) {
        throw portError(error, 'the archive could not be listed');
      }
    },
    async remove(key) {
      const file = fileOf(key);
      try {
        await rm(file);
        await syncFolder(path.dirname(file));
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return;
        throw portError(error, `${key} could not be removed`);
      }
    },
  };
}
