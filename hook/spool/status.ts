import { closeSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDraining } from './drain-lock.ts';
import { folderBytes, spoolFiles, spoolFolder } from './folder.ts';
import { parseLine } from './line.ts';
import { quarantineFolder } from './quarantine.ts';
import { readLines } from './read-lines.ts';

export interface SpoolStatus {
  /** Events that wait for the server that is set now. */
  readonly events: number;
  readonly sessions: number;
  /** Bytes of all files, including the quarantine. */
  readonly bytes: number;
  /** When the first of them was written, by the clock of that time; null for none. */
  readonly oldestAt: string | null;
  /** Events that were meant for another server. */
  readonly elsewhere: number;
  /** Lines in the quarantine. */
  readonly quarantined: number;
  readonly draining: boolean;
}

/** Counts the lines of the spool. `server`: name of the current target; null if unknown. */
export function spoolStatus(dataDir: string, server: string | null): SpoolStatus {
  const folder = spoolFolder(dataDir);
  const sessions = new Set<string>();
  let events = 0;
  let elsewhere = 0;
  let oldestAt: string | null = null;
  for (const file of spoolFiles(dataDir)) {
    const lines = linesOf(join(folder, file.name), file.claim?.offsetBytes ?? 0);
    if (lines.count === 0) continue;
    if (server !== null && file.server !== server) {
      elsewhere += lines.count;
      continue;
    }
    sessions.add(file.session);
    events += lines.count;
    if (lines.firstAt !== null && (oldestAt === null || lines.firstAt < oldestAt)) oldestAt = lines.firstAt;
  }
  const quarantined = namesIn(quarantineFolder(dataDir)).reduce(
    (sum, name) => sum + linesOf(join(quarantineFolder(dataDir), name), 0).count,
    0,
  );
  const bytes = namesIn(folder).length === 0 ? 0 : folderBytes(folder);
  return { events, sessions: sessions.size, bytes, oldestAt, elsewhere, quarantined, draining: isDraining(folder) };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // Nothing was ever spooled, or quarantined.
  }
}

function linesOf(file: string, fromBytes: number): { readonly count: number; readonly firstAt: string | null } {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch {
    return { count: 0, firstAt: null }; // Drained meanwhile.
  }
  try {
    let count = 0;
    let firstAt: string | null = null;
    for (const { text } of readLines(handle, fromBytes)) {
      count += 1;
      if (count === 1) firstAt = timeOf(text);
    }
    return { count, firstAt };
  } finally {
    closeSync(handle);
  }
}

function timeOf(text: string | null): string | null {
  try {
    return text === null ? null : parseLine(text).at;
  } catch {
    return null; // Half a line; draining quarantines it.
  }
}
