import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { newDeliveryId } from '../request.ts';
import { elapsedMs } from '../environment.ts';

/** Lock of a drainer, while it drains the spool. */
export interface DrainLock {
  /** Id of this drainer. */
  readonly token: string;
  /** Shows that the drainer still runs; writes at most once in five seconds. */
  touch(): void;
  release(): void;
}

const STALE_MS = 60_000;
const TOUCH_MS = 5_000;

/**
 * Takes the lock of drainers. Returns null if another running process has it. A lock that its process has not touched for a minute is stale, and is
 * taken over: then two processes may drain at the same time and send an event twice, which the server stores once. The lock only saves work.
 * @throws errors of the file system
 */
export function takeDrainLock(folder: string): DrainLock | null {
  const file = join(folder, '.drain.lock');
  const token = newDeliveryId();
  for (let attempt = 0; attempt < 2; attempt += 1) {
    if (create(file, `${process.pid} ${token}\n`)) {
      let touchedAt = elapsedMs();
      return {
        token,
        touch() {
          if (elapsedMs() - touchedAt < TOUCH_MS) return;
          touchedAt = elapsedMs();
          try {
            utimesSync(file, new Date(), new Date());
          } catch {
            // Taken over meanwhile: both drain, and nothing is stored twice.
          }
        },
        release() {
          if (read(file).endsWith(`${token}\n`)) rmSync(file, { force: true });
        },
      };
    }
    if (!isStale(file)) return null;
    try {
      renameSync(file, `${file}.${token}`);
      rmSync(`${file}.${token}`, { force: true });
    } catch {
      return null; // Another process took it over first.
    }
  }
  return null;
}

/** Returns whether a drainer is running. */
export function isDraining(folder: string): boolean {
  const file = join(folder, '.drain.lock');
  return statSync(file, { throwIfNoEntry: false }) !== undefined && !isStale(file);
}

function create(file: string, content: string): boolean {
  let handle: number;
  try {
    handle = openSync(file, 'wx', 0o600);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
  try {
    writeSync(handle, content);
  } finally {
    closeSync(handle);
  }
  return true;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // Released meanwhile.
  }
}

function isStale(file: string): boolean {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return true;
  // Both ways: a clock that was set back leaves times in the future.
  if (Math.abs(Date.now() - stat.mtimeMs) > STALE_MS) return true;
  const pid = Number.parseInt(read(file), 10);
  if (!Number.isSafeInteger(pid) || pid <= 0) return false; // Being written.
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}
