import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { isSystemError } from '../instance/json-file.ts';
import { setTimeout as delay } from 'node:timers/promises';

/** A process, distinct from later ones with the same id. */
export const processIdentitySchema = z.object({ pid: z.int().positive(), startTime: z.string().min(1) });
export type ProcessIdentity = Readonly<z.infer<typeof processIdentitySchema>>;

const PS_TIMEOUT_MS = 5000;
/** Counted from after the name in /proc/PID/stat: state is field 0, the start time in clock ticks field 19. */
const STATE_FIELD = 0;
const START_TIME_FIELD = 19;

/**
 * Returns the start time of a process as an opaque constant text; null if there is none.
 * Zombies count as ended, on Linux once their last thread has ended.
 */
export function processStartTime(pid: number, platform: NodeJS.Platform = process.platform): string | null {
  return platform === 'linux' ? startTimeFromProc(pid) : startTimeFromPs(pid);
}

function startTimeFromProc(pid: number): string | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
  // The name is in parentheses and may contain some, so the last one ends it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const isZombie = fields[STATE_FIELD] === 'Z' || fields[STATE_FIELD] === 'X';
  if (isZombie && !hasLivingThreads(pid)) return null;
  return fields[START_TIME_FIELD] ? `${bootId()}${fields[START_TIME_FIELD]}` : null;
}

/** A killed process is a zombie as soon as its first thread has ended; the others keep its ports and files open until they end too. */
function hasLivingThreads(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).length > 1;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** Returns true if reading /proc/PID failed because the process does not exist. */
function isGone(error: unknown): boolean {
  return isSystemError(error, 'ENOENT') || isSystemError(error, 'ESRCH');
}

let knownBootId: string | undefined;

/** Ticks count from the boot, so they are ambiguous across boots. */
function bootId(): string {
  if (knownBootId === undefined) {
    try {
      knownBootId = `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:`;
    } catch {
      knownBootId = ''; // Hidden in some containers; pid and ticks still have to match.
    }
  }
  return knownBootId;
}

function startTimeFromPs(pid: number): string | null {
  try {
    const output = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      timeout: PS_TIMEOUT_MS,
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [state, ...start] = output.trim().split(/\s+/);
    return state && !state.startsWith('Z') && start.length > 0 ? start.join(' ') : null;
  } catch {
    return null; // ps ends with 1 when there is no such process.
  }
}

/** Returns the identity of a living process, or null. */
export function identifyProcess(pid: number): ProcessIdentity | null {
  const startTime = processStartTime(pid);
  return startTime === null ? null : { pid, startTime };
}

/** Returns true if exactly this process is alive. */
export function isAlive(identity: ProcessIdentity): boolean {
  return processStartTime(identity.pid) === identity.startTime;
}

/** Signals a process group, or the process alone if it leads none. Returns false if there is none. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  return trySignal(-pid, signal) || trySignal(pid, signal);
}

function trySignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (isSystemError(error, 'ESRCH')) return false;
    if (isSystemError(error, 'EPERM')) return false;
    throw error;
  }
}

/**
 * Polls until a condition is true. Returns false after the timeout. Rejects if the signal aborts or the
 * condition throws.
 */
export async function waitUntil(
  condition: () => boolean,
  options: { readonly timeoutMs: number; readonly everyMs?: number; readonly signal?: AbortSignal | undefined },
): Promise<boolean> {
  const deadline = performance.now() + options.timeoutMs;
  while (!condition()) {
    if (performance.now() >= deadline) return false;
    await delay(options.everyMs ?? 25, undefined, options.signal ? { signal: options.signal } : {});
  }
  return true;
}
