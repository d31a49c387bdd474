import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';

/** Makes renames and new names in a folder survive a power cut. Folders cannot be synced everywhere; where not, it does nothing. */
export function syncFolder(folder: string): void {
  let handle: number;
  try {
    handle = openSync(folder, 'r');
  } catch {
    return; // Some systems refuse to open a folder; the rename itself is still atomic there.
  }
  try {
    fsyncSync(handle);
  } catch {
    // Some file systems cannot sync a folder: then the order of the rename is all there is.
  } finally {
    closeSync(handle);
  }
}

/**
 * Replaces a file in one step: readers see the old content or the new, never a part, also after a power cut.
 * Synchronous, so that no other code of this process runs between the decision and the write.
 */
export function writeFileAtomic(file: string, content: string, mode = 0o600): void {
  const folder = path.dirname(file);
  mkdirSync(folder, { recursive: true });
  const temporary = `${file}.${process.pid}.${randomUUID().slice(0, 8)}.tmp`;
  const handle = openSync(temporary, 'wx', mode);
  try {
    writeSync(handle, content);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  try {
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(folder);
}
