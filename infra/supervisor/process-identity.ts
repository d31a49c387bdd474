import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { isSystemError } from '../instance/json-file.ts';

/** A process, told apart from a later one that got the same number. */
export const processIdentitySchema = z.object({ pid: z.int().positive(), startTime: z.string().min(1) });
export type ProcessIdentity = Readonly<z.infer<typeof processIdentitySchema>>;

const PS_TIMEOUT_MS = 5000;
/** Counted from after the name in /proc/PID/stat: state is field 0, the start time in clock ticks field 19. */
const STATE_FIELD = 0;
const START_TIME_FIELD = 19;

/**
 * When a process started, as an opaque text that stays the same for its life, or null when there is none.
 * A zombie counts as none: it has ended and only waits to be collected.
 */
export function processStartTime(pid: number, platform: NodeJS.Platform = process.platform): string | null {
  return platform === 'linux' ? startTimeFromProc(pid) : startTimeFromPs(pid);
}

function startTimeFromProc(pid: number): string | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    if (isSystemError(error, 'ENOENT') || isSystemError(error, 'ESRCH')) return null;
    throw error;
  }
  // The name is in parentheses and may hold spaces and parentheses itself, so the last one ends it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[STATE_FIELD] === 'Z' || fields[STATE_FIELD] === 'X') return null;
  return fields[START_TIME_FIELD] ? `${bootId()}${fields[START_TIME_FIELD]}` : null;
}

let knownBootId: string | undefined;

/** Ticks count from the machine's start, so the same number means another time after a restart. */
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

/** Names a process that lives now, or null. */
export function identifyProcess(pid: number): ProcessIdentity | null {
  const startTime = processStartTime(pid);
  return startTime === null ? null : { pid, startTime };
}

/** Whether exactly this process still lives. */
export function isAlive(identity: ProcessIdentity): boolean {
  return processStartTime(identity.pid) === identity.startTime;
}

/** Sends a signal to a process group, or to the process alone when it leads none. False when nobody was there. */
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
