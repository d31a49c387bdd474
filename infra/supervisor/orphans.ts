import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { SUPERVISOR_MARK } from '../../config/process-environment.ts';
import { visibleText } from '../../domain/recalled/inert-text.ts';
import { identifyProcess, isAlive, processIdentitySchema, signalGroup, waitUntil } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { signalSchema } from './state.ts';

export interface Leftover extends ProcessIdentity {
  readonly name: string;
  readonly stopSignal: NodeJS.Signals;
}

const GRACE_MS = 8000;
const KILL_WAIT_MS = 5000;

/**
 * Ends processes of a dead supervisor: first with their stop signal, then by killing their groups. Never ends a
 * later process with the same id. Returns the names of those that were alive.
 */
export async function endLeftovers(leftovers: readonly Leftover[], graceMs: number = GRACE_MS): Promise<string[]> {
  const alive = leftovers.filter(isAlive);
  for (const leftover of alive) signalGroup(leftover.pid, leftover.stopSignal);
  const areEnded = (): boolean => alive.every((leftover) => !isAlive(leftover));
  if (!(await waitUntil(areEnded, { timeoutMs: graceMs }))) {
    for (const leftover of alive) if (isAlive(leftover)) signalGroup(leftover.pid, 'SIGKILL');
    await waitUntil(areEnded, { timeoutMs: KILL_WAIT_MS });
  }
  return alive.map((leftover) => leftover.name);
}

const MARK_VALUE = new RegExp(`(?:^|[\\0\\s])${SUPERVISOR_MARK}=([^\\0\\s]+)`);
/** Counted from after the name in /proc/PID/stat. */
const GROUP_FIELD = 2;
const PS_TIMEOUT_MS = 5000;

const markSchema = z.object({
  name: z.string(),
  stopSignal: signalSchema,
  dataDir: z.string(),
  supervisor: processIdentitySchema,
});
export type Mark = Readonly<z.output<typeof markSchema>>;

/** A server of Recollect whose supervisor is dead. */
export interface Orphan extends Leftover {
  readonly dataDir: string;
}

/** The environment that marks a process. The value has neither blanks nor quotes. */
export function markEnvironment(mark: Mark): Record<string, string> {
  return { [SUPERVISOR_MARK]: encodeURIComponent(JSON.stringify(mark)) };
}

/**
 * Returns the servers that a supervisor of this user started, wherever its data is, and that outlived it; for root, those of every user. On
 * Linux from /proc; elsewhere from `ps -E`, which shows the environment of one's own processes on macOS.
 */
export function findOrphans(): Orphan[] {
  const marked = process.platform === 'linux' ? markedInProc() : markedInPs();
  return marked.flatMap(({ pid, mark }) => {
    const identity = isAlive(mark.supervisor) ? null : identifyProcess(pid);
    return identity === null
      ? []
      : [{ ...identity, name: visibleText(mark.name), stopSignal: mark.stopSignal, dataDir: mark.dataDir }];
  });
}

/**
 * Ends the recorded processes of an instance, and its orphans that no state records because the folder was deleted. Returns the names of
 * those that were alive, and the orphans of other instances, which are not ended.
 */
export async function endInstanceProcesses(
  dataDir: string,
  recorded: readonly Leftover[],
): Promise<{ readonly ended: string[]; readonly others: readonly Orphan[] }> {
  const orphans = findOrphans();
  const unrecorded = orphans.filter(
    (orphan) => orphan.dataDir === dataDir && recorded.every(({ pid }) => pid !== orphan.pid),
  );
  const ended = await endLeftovers([...recorded, ...unrecorded]);
  return { ended, others: orphans.filter((orphan) => orphan.dataDir !== dataDir) };
}

interface MarkedProcess {
  readonly pid: number;
  readonly mark: Mark;
}

function markedInProc(): MarkedProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const mark = markIn(readFileSync(`/proc/${name}/environ`, 'utf8'));
        if (mark === null) return [];
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        // Children of a server inherit the variable; only the server leads the group.
        const group = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[GROUP_FIELD];
        return group === name ? [{ pid: Number(name), mark }] : [];
      } catch {
        return []; // Ended, or of another user.
      }
    });
}

function markedInPs(): MarkedProcess[] {
  let output: string;
  try {
    output = execFileSync('ps', ['-axwwE', '-o', 'pid=,pgid=,command='], {
      encoding: 'utf8',
      timeout: PS_TIMEOUT_MS,
      maxBuffer: 64 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return []; // This ps has no -E.
  }
  return output.split('\n').flatMap((line) => {
    const [pid, group] = line.trim().split(/\s+/, 2);
    const mark = pid === undefined || pid !== group ? null : markIn(line);
    return mark === null ? [] : [{ pid: Number(pid), mark }];
  });
}

/** Returns the mark in an environment; null for an invalid one, since any process can set the variable. */
function markIn(environment: string): Mark | null {
  const value = MARK_VALUE.exec(environment)?.[1];
  if (value === undefined) return null;
  try {
    return markSchema.safeParse(JSON.parse(decodeURIComponent(value))).data ?? null;
  } catch {
    return null;
  }
}
