import {
  closeSync,
  copyFileSync,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import path from 'node:path';
import { isSystemError } from '../instance/json-file.ts';

const MAX_BYTES = 16 * 1024 * 1024;
const ROTATED_FILES = 3;

export function logPath(folder: string, name: string): string {
  return path.join(folder, `${name}.log`);
}

/**
 * Opens a log that a child writes itself, also after the supervisor is killed. Appends, so that the file can be
 * truncated meanwhile. The caller closes the handle.
 */
export function openLog(file: string): number {
  return openSync(file, 'a', 0o600);
}

/**
 * Rotates a log above the limit: copies it to FILE.1 (older ones to .2, .3) and truncates it
 * under its writer. Lines written between copy and truncation are lost.
 * Returns true if it rotated. @throws the error of the system if the copy fails, as on a full disk: no log has changed then
 */
export function rotateLog(file: string, maxBytes: number = MAX_BYTES): boolean {
  let bytes: number;
  try {
    bytes = statSync(file).size;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
  if (bytes <= maxBytes) return false;
  // Before older ones move: attempts on a full disk would push all of them out.
  const copy = `${file}.new`;
  try {
    copyFileSync(file, copy);
  } catch (error) {
    rmSync(copy, { force: true });
    throw error;
  }
  for (let generation = ROTATED_FILES - 1; generation >= 1; generation -= 1) {
    try {
      renameSync(`${file}.${generation}`, `${file}.${generation + 1}`);
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error;
    }
  }
  renameSync(copy, `${file}.1`);
  truncateSync(file, 0);
  return true;
}

/** Returns the last lines of a log, oldest first; none without a file. Reads at most 256 KiB. */
export function lastLines(file: string, lines: number): string[] {
  const windowBytes = 256 * 1024;
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  }
  try {
    const size = fstatSync(handle).size;
    const from = Math.max(0, size - windowBytes);
    const buffer = Buffer.alloc(size - from);
    readSync(handle, buffer, 0, buffer.length, from);
    const all = buffer.toString('utf8').split('\n');
    if (all.at(-1) === '') all.pop();
    return lines <= 0 ? [] : all.slice(-lines);
  } finally {
    closeSync(handle);
  }
}
