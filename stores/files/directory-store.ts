import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { ObjectTooLarge } from '../../domain/ports/object-store.ts';
import type { ObjectStore } from '../../domain/ports/object-store.ts';

/** Syncs a folder: a synced file's name can still be missing after a crash. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Syncs a folder's name and those of the folders above it: `firstMade` is the highest new one, as from `mkdir`. */
export async function syncFoldersAbove(folder: string, firstMade: string | undefined): Promise<void> {
  if (firstMade === undefined) return;
  const last = path.dirname(firstMade);
  for (let above = path.dirname(folder); above.length >= last.length; above = path.dirname(above)) {
    await syncFolder(above);
    if (above === last) return;
  }
}

const KEY_CHARS = 512;
/** As much as a request may hold. */
const OBJECT_LIMIT_BYTES = 32 * 1024 * 1024;
const OWNER_FILE = 0o600;
const OWNER_FOLDER = 0o700;

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

async function writeSynced(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'wx', OWNER_FILE);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Objects as files under `root`, for their owner alone. A file's name is the SHA-256 of its key, so no key leads out of the folder; two
 * levels of folders keep each small. A reader sees the old bytes or the new ones, never a part: they are written beside and renamed.
 */
export function createDirectoryStore(root: string, limitBytes: number = OBJECT_LIMIT_BYTES): ObjectStore {
  const fileOf = (key: string): string => {
    if (key.length === 0 || key.length > KEY_CHARS) throw new RangeError(`a key has 1 to ${KEY_CHARS} characters`);
    const name = createHash('sha256').update(key, 'utf8').digest('hex');
    return path.join(root, name.slice(0, 2), name.slice(2, 4), name);
  };

  return {
    async put(key, bytes) {
      const file = fileOf(key);
      if (bytes.byteLength > limitBytes) throw new ObjectTooLarge(limitBytes);
      const folder = path.dirname(file);
      const firstMade = await mkdir(folder, { recursive: true, mode: OWNER_FOLDER });
      const beside = `${file}.${randomUUID()}`;
      try {
        await writeSynced(beside, bytes);
        await rename(beside, file);
      } catch (error) {
        await rm(beside, { force: true });
        throw error;
      }
      await syncFolder(folder);
      await syncFoldersAbove(folder, firstMade);
    },
    async get(key) {
      try {
        return await readFile(fileOf(key));
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },
    async delete(key) {
      const file = fileOf(key);
      try {
        await rm(file);
      } catch (error) {
        if (isMissing(error)) return;
        throw error;
      }
      await syncFolder(path.dirname(file));
    },
  };
}

/** The store of full values in the folder of a setting; null without one. */
export function directoryStoreAt(root: string | undefined): ObjectStore | null {
  return root === undefined ? null : createDirectoryStore(root);
}
