import { closeSync, fsync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { folderBytes, spoolFolder } from './folder.ts';

const QUARANTINE_BYTES = 16 * 1024 * 1024;
/** Characters stored of a line that is longer than any valid one. */
const STORED_CHARS = 1024 * 1024;

export function quarantineFolder(dataDir: string): string {
  return join(spoolFolder(dataDir), 'quarantine');
}

/** The reason why a line cannot be quarantined, if `quarantine` returns null. */
export const QUARANTINE_FULL = 'the quarantine is full';

/**
 * Writes a line that can never be delivered to the quarantine, with the reason: users can inspect it, and later lines do not wait for it. Returns a
 * promise that resolves when the entry is on the disk, and rejects if that is uncertain; null if the quarantine is full. After null or an error the
 * line must remain in the spool. @throws errors of the file system
 */
export function quarantine(dataDir: string, session: string, reason: string, line: string): Promise<void> | null {
  const folder = quarantineFolder(dataDir);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const entry = `\n${JSON.stringify({ at: new Date().toISOString(), reason, line: line.slice(0, STORED_CHARS) })}\n`;
  const bytes = Buffer.from(entry, 'utf8');
  if (folderBytes(folder) + bytes.length > QUARANTINE_BYTES) return null;
  const handle = openSync(join(folder, `${session}.ndjson`), 'a', 0o600);
  try {
    if (writeSync(handle, bytes) !== bytes.length) throw new Error('half written');
  } catch (error) {
    closeSync(handle);
    throw error;
  }
  // In a thread of the pool: a busy disk is slow, and the client's time limit continues.
  return new Promise((resolve, reject) => {
    fsync(handle, (error) => {
      closeSync(handle);
      if (error === null) resolve();
      else reject(error);
    });
  });
}
