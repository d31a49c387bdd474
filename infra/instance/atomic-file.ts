import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';

/** Syncs a folder so that renames survive a power cut; does nothing if folders cannot be synced. */
export function syncFolder(folder: string): void {
  let handle: number;
  try {
    handle = openSync(folder, 'r');
  } catch {
    return; // Some systems cannot open a folder; renames are atomic there.
  }
  try {
    fsyncSync(handle);
  } catch {
    // Some file systems cannot sync a folder.
  } finally {
    closeSync(handle);
  }
}

/**
 * Replaces a file atomically, also across a power cut.
 * Synchronous, so that no other code runs between decision and write.
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
