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

/** What is erased: a session by its host and the id that it has there, what holds a text letter by letter, or everything. */
export type Spooled =
  | { readonly kind: 'session'; readonly host: string; readonly id: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'all' };

/**
 * Takes lines out of the spool that were never delivered, and out of the quarantine; answers how many, or null when somebody drains now. Works as a drainer
 * does, under its lock: a file is renamed first, so that a hook that was just appending to it writes its line again, and nothing is lost but what is erased.
 * @throws what the file system throws: what was not rewritten stays as it was
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

/** Whether a line is meant. One that cannot be read is of the session whose file it stands in, and holds what its letters hold. */
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
    // A drainer that had stalled took it along: what it sends is refused.
    if (reasonOf(error) === 'ENOENT') return 0;
    throw error;
  }
  const kept: string[] = [];
  let erased = 0;
  const handle = openSync(join(folder, mine), 'r');
  try {
    for (const { text } of readLines(handle, file.claim?.offsetBytes ?? 0)) {
      lock.touch();
      // Too long for a line of ours: nothing would have taken it.
      if (text === null || isMeant(text, file.session, what)) erased += 1;
      else kept.push(text);
    }
  } finally {
    closeSync(handle);
  }
  if (erased > 0) replace(folder, mine, claimedName(file, 0, lock.token), kept);
  return erased;
}

/** Puts what is kept in the place of a file; it is there before that one goes. */
function replace(folder: string, name: string, next: string, kept: readonly string[]): void {
  if (kept.length > 0) {
    const beside = join(folder, `.${name}.erasing`);
    const handle = openSync(beside, 'w', 0o600);
    try {
      for (const line of kept) writeSync(handle, `${line}\n`);
    } finally {
      closeSync(handle);
    }
    renameSync(beside, join(folder, next));
  }
  if (kept.length === 0 || next !== name) rmSync(join(folder, name), { force: true });
}

function quarantinedNames(dataDir: string): string[] {
  const folder = quarantineFolder(dataDir);
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return [];
  return readdirSync(folder).filter((name) => name.endsWith('.ndjson'));
}

/** Only who drains writes there, and drains under the same lock. */
function eraseQuarantined(path: string, what: Spooled): number {
  const name = basename(path);
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  const kept = lines.filter((line) => !isMeant(quarantinedText(line), basename(name, '.ndjson'), what));
  if (kept.length < lines.length) replace(dirname(path), name, name, kept);
  return lines.length - kept.length;
}

/** The line as it was spooled, out of its entry; the entry itself when that cannot be read. */
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
