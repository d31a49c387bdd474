import { hash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

/** A line of the file: SHA-1 in capitals, and the number of its occurrences. */
const LINE = /^([0-9A-F]{40})(?::\d{1,20})?\r?$/;
const HASH_CHARS = 40;
/** Bytes in which a line ends: a hash, a colon, a number and the end of the line. */
const LINE_BYTES = 64;
/** A range of the file that is read at once. */
const BLOCK_BYTES = 4_096;
/** Places at which the order is checked at the start: all of 30 GB would take minutes. */
const CHECKED_LINES = 1_000;

/** Reads up to `bytes` from a position; ASCII. */
type ReadAt = (position: number, bytes: number) => string;

/** Returns the line that begins at or after a position, without its end; null after the last one. */
function lineFrom(readAt: ReadAt, position: number): string | null {
  const text = readAt(Math.max(0, position - 1), 2 * LINE_BYTES);
  const start = position === 0 ? 0 : text.indexOf('\n') + 1;
  if (start === 0 && position > 0) return null;
  const line = text.slice(start).split('\n', 1)[0] ?? '';
  return line === '' ? null : line;
}

/** @throws Error for a file that cannot be read, or that is not a sorted list of hashes */
function checkFile(file: string): void {
  const reject = (message: string): never => {
    throw new Error(`RECOLLECT_BREACHED_PASSWORDS_FILE: ${message}`);
  };
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch {
    return reject('the file cannot be read');
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile() || stat.size === 0) return reject('is no file with hashes');
    const buffer = Buffer.alloc(2 * LINE_BYTES);
    const readAt: ReadAt = (position, bytes) =>
      buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, bytes, position));
    let previous = '';
    for (let place = 0; place <= CHECKED_LINES; place += 1) {
      const line = lineFrom(readAt, Math.floor((stat.size * place) / CHECKED_LINES));
      if (line === null) continue;
      const found = LINE.exec(line)?.[1];
      if (found === undefined) return reject('a line is not a SHA-1 in capitals, optionally with a colon and a number');
      if (found < previous) return reject('the hashes are not sorted');
      previous = found;
    }
  } finally {
    closeSync(descriptor);
  }
}

async function read(handle: FileHandle, position: number, bytes: number): Promise<string> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, position);
  return buffer.toString('latin1', 0, bytesRead);
}

/** Returns true if a sorted file of `size` bytes contains a hash; reads about one block for each doubling of 4 KB. */
async function contains(handle: FileHandle, size: number, wanted: string): Promise<boolean> {
  // `low` and `high` are the starts of lines, or the end: the line of the hash begins between them.
  let low = 0;
  let high = size;
  while (high - low > BLOCK_BYTES) {
    const middle = Math.floor((low + high) / 2);
    const text = await read(handle, middle, 2 * LINE_BYTES);
    const start = text.indexOf('\n') + 1;
    if (start === 0) throw new Error('a line of the breached passwords is too long');
    const found = text.slice(start, start + HASH_CHARS);
    if (found === wanted) return true;
    if (found < wanted) low = middle + start;
    else high = middle + start;
  }
  const lines = (await read(handle, low, high - low)).split('\n');
  return lines.some((line) => line.startsWith(wanted));
}

/**
 * A list of passwords from data breaches on this machine, sorted by SHA-1, one a line. It is searched in the file, which may be replaced: nothing of it is in
 * memory.
 */
export class BreachedPasswords {
  private readonly file: string;

  /** @throws Error that names the setting, for a file that is missing or not in this form */
  constructor(file: string) {
    checkFile(file);
    this.file = file;
  }

  /** Returns true if the list contains a password. @throws Error if the file cannot be read any more */
  async has(password: string): Promise<boolean> {
    const handle = await open(this.file, 'r');
    try {
      return await contains(handle, (await handle.stat()).size, hash('sha1', password).toUpperCase());
    } finally {
      await handle.close();
    }
  }
}
