import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { isSystemError, readJsonFile } from '../instance/json-file.ts';
import { identifyProcess, isAlive, type ProcessIdentity, processIdentitySchema } from './process-identity.ts';

export type LockAttempt =
  | { readonly kind: 'acquired'; release(): void }
  | { readonly kind: 'taken'; readonly holder: ProcessIdentity };

const TAKEOVER_TRIES = 20;

/**
 * Acquires an exclusive lock on a path, or returns the living process that has it. The lock of a dead process is
 * taken over. The lock file is created atomically.
 */
export function acquireLock(file: string): LockAttempt {
  const self = identifyProcess(process.pid);
  if (self === null)
    throw new Error('Cannot read the start time of this process, which the lock of the data directory needs.');
  const token = `${JSON.stringify({ ...self, token: randomUUID() })}\n`;
  for (let attempt = 0; attempt < TAKEOVER_TRIES; attempt += 1) {
    if (createExclusively(file, token)) return { kind: 'acquired', release: () => releaseLock(file, token) };
    const holder = readLock(file);
    if (holder !== null && isAlive(holder)) return { kind: 'taken', holder };
    removeStaleLock(file);
  }
  throw new Error(`The lock ${file} changed too often. Try again.`);
}

/** Returns the process in the lock file, alive or dead; null without a valid file. */
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

/** Moves the lock aside before checking it again: else one of two processes could remove the other's new lock. */
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
