import { closeSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { sessionOf } from '../body.ts';
import { reasonOf } from '../outcome.ts';
import { takeDrainLock } from './drain-lock.ts';
import type { DrainLock } from './drain-lock.ts';
import { claimedName, sessionName, spoolFiles, spoolFolder } from './folder.ts';
import type { SpoolFile } from './folder.ts';
import { parseLine } from './line.ts';
import type { SpoolLine } from './line.ts';
import { quarantineFolder } from './quarantine.ts';
import { readLines } from './read-lines.ts';

/** Subject of an erasure: a session by its host and external id, events that contain a text verbatim, or everything. */
export type Spooled =
  | { readonly kind: 'session'; readonly host: string; readonly id: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'all' };

/**
 * Deletes undelivered lines from the spool and lines from the quarantine; returns their number, or null while a drainer runs. Takes the drain
 * lock and renames each file first, like a drainer: a hook that is appending to it writes its line again, so that only erased lines are lost.
 * @throws errors of the file system; files not yet rewritten remain unchanged
 */
export function eraseSpooled(dataDir: string, what: Spooled): number | null {
  const folder = spoolFolder(dataDir);
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return 0;
  const lock = takeDrainLock(folder);
  if (lock === null) return null;
  try {
    let erased = 0;
    for (const file of spoolFiles(dataDir)) erased += eraseWaiting(folder, file, lock, what);
    for (const name of quarantinedNames(dataDir))
      erased += eraseQuarantined(join(quarantineFolder(dataDir), name), what);
    return erased;
  } finally {
    lock.release();
  }
}

/** Returns whether a line matches. An unreadable line belongs to the session of its file, and contains its literal text. */
function isMeant(text: string, file: string, what: Spooled): boolean {
  if (what.kind === 'all') return true;
  if (what.kind === 'text') return text.includes(JSON.stringify(what.text).slice(1, -1));
  let line: SpoolLine;
  try {
    line = parseLine(text);
  } catch {
    return file === sessionName(what.id);
  }
  return line.host === what.host && sessionOf(line.body) === what.id;
}

function eraseWaiting(folder: string, file: SpoolFile, lock: DrainLock, what: Spooled): number {
  const mine = claimedName(file, file.claim?.offsetBytes ?? 0, lock.token);
  try {
    renameSync(join(folder, file.name), join(folder, mine));
  } catch (error) {
    // A drainer that had stalled claimed it: the server rejects what it sends.
    if (reasonOf(error) === 'ENOENT') return 0;
    throw error;
  }
  const remaining: string[] = [];
  let erased = 0;
  const handle = openSync(join(folder, mine), 'r');
  try {
    for (const { text } of readLines(handle, file.claim?.offsetBytes ?? 0)) {
      lock.touch();
      // Longer than any valid line: no server would have accepted it.
      if (text === null || isMeant(text, file.session, what)) erased += 1;
      else remaining.push(text);
    }
  } finally {
    closeSync(handle);
  }
  if (erased > 0) replace(folder, mine, claimedName(file, 0, lock.token), remaining);
  return erased;
}

/** Replaces a file by its remaining lines; the new file exists before the old one is deleted. */
function replace(folder: string, name: string, next: string, remaining: readonly string[]): void {
  if (remaining.length > 0) {
    const beside = join(folder, `.${name}.erasing`);
    const handle = openSync(beside, 'w', 0o600);
    try {
      for (const line of remaining) writeSync(handle, `${line}\n`);
    } finally {
      closeSync(handle);
    }
    renameSync(beside, join(folder, next));
  }
  if (remaining.length === 0 || next !== name) rmSync(join(folder, name), { force: true });
}

function quarantinedNames(dataDir: string): string[] {
  const folder = quarantineFolder(dataDir);
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return [];
  return readdirSync(folder).filter((name) => name.endsWith('.ndjson'));
}

/** Drainers write there under the same lock. An entry that a hook appends during the rewrite is lost: of an event that the server rejected. */
function eraseQuarantined(path: string, what: Spooled): number {
  const name = basename(path);
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  const remaining = lines.filter((line) => !isMeant(quarantinedText(line), basename(name, '.ndjson'), what));
  if (remaining.length < lines.length) replace(dirname(path), name, name, remaining);
  return lines.length - remaining.length;
}

/** Returns the spooled line of an entry; the entry itself if it cannot be parsed. */
function quarantinedText(entry: string): string {
  try {
    const value: unknown = JSON.parse(entry);
    return value !== null && typeof value === 'object' && 'line' in value && typeof value.line === 'string'
      ? value.line
      : entry;
  } catch {
    return entry;
  }
}
