import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { folderBytes, spoolFolder } from './folder.ts';

const QUARANTINE_BYTES = 16 * 1024 * 1024;
/** A line that is too long to be ours is kept by its head. */
const KEPT_CHARS = 1024 * 1024;

export function quarantineFolder(dataDir: string): string {
  return join(spoolFolder(dataDir), 'quarantine');
}

/**
 * Sets a line aside that can never be delivered, with the reason, so that a person can look at it and nothing waits behind it.
 * False when the quarantine is full and the line is dropped. @throws what the file system throws: then the line must stay where it is
 */
export function quarantine(dataDir: string, session: string, reason: string, line: string): boolean {
  const folder = quarantineFolder(dataDir);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const entry = `\n${JSON.stringify({ at: new Date().toISOString(), reason, line: line.slice(0, KEPT_CHARS) })}\n`;
  if (folderBytes(folder) + Buffer.byteLength(entry) > QUARANTINE_BYTES) return false;
  const handle = openSync(join(folder, `${session}.ndjson`), 'a', 0o600);
  try {
    const bytes = Buffer.from(entry, 'utf8');
    if (writeSync(handle, bytes) !== bytes.length) throw new Error('half written');
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  return true;
}
