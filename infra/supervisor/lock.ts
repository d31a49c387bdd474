import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { isSystemError, readJsonFile } from '../instance/json-file.ts';
import { identifyProcess, isAlive, type ProcessIdentity, processIdentitySchema } from './process-identity.ts';

export type LockAttempt =
  | { readonly kind: 'held'; release(): void }
  | { readonly kind: 'taken'; readonly holder: ProcessIdentity };

const TAKEOVER_TRIES = 20;

/**
 * Takes an exclusive lock on a path for this process, or says which living process has it. The lock of a dead process is
 * taken over. The lock file appears complete or not at all, so a reader never sees an empty one.
 */
export function acquireLock(file: string): LockAttempt {
  const self = identifyProcess(process.pid);
  if (self === null)
    throw new Error('This process cannot see its own start time, so it cannot lock the data directory.');
  const token = `${JSON.stringify({ ...self, token: randomUUID() })}\n`;
  for (let attempt = 0; attempt < TAKEOVER_TRIES; attempt += 1) {
    if (createExclusively(file, token)) return { kind: 'held', release: () => releaseLock(file, token) };
    const holder = readLock(file);
    if (holder !== null && isAlive(holder)) return { kind: 'taken', holder };
    removeStaleLock(file);
  }
  throw new Error(`The lock ${file} changes hands too fast. Try again.`);
}

/** Who has the lock, alive or dead; null when nobody or when the file is damaged. */
export function readLock(file: string): ProcessIdentity | null {
  const stored = readJsonFile(file, processIdentitySchema);
  return stored.kind === 'value' ? stored.value : null;
}

function createExclusively(file: string, content: string): boolean {
  const temporary = `${file}.${randomUUID()}`;
  writeFileSync(temporary, content, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(temporary, file);
    return true;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Moves the lock aside before looking again: of two who saw it stale, one could otherwise remove the other's new lock. */
function removeStaleLock(file: string): void {
  const aside = `${file}.${randomUUID()}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return;
    throw error;
  }
  try {
    const moved = readLock(aside);
    if (moved !== null && isAlive(moved)) linkSync(aside, file);
  } finally {
    rmSync(aside, { force: true });
  }
}

function releaseLock(file: string, token: string): void {
  let current: string;
  try {
    current = readFileSync(file, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return;
    throw error;
  }
  if (current === token) rmSync(file, { force: true });
}
