import type { InstanceLayout } from '../instance/layout.ts';
import { readLock } from './lock.ts';
import { isAlive, waitUntil } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { endInstanceProcesses } from './orphans.ts';
import { processesOf, readState, writeState } from './state.ts';
import type { SupervisorState } from './state.ts';

export type StopOutcome =
  | { readonly kind: 'stopped'; readonly pid: number }
  /** The supervisor was dead; `ended` names its remaining processes. */
  | { readonly kind: 'not-running'; readonly ended: readonly string[] }
  | { readonly kind: 'still-stopping'; readonly pid: number }
  /** A process that is no supervisor has the lock, such as an upgrade that copies the databases. It gets no signal. */
  | { readonly kind: 'occupied'; readonly pid: number };

const STOP_TIMEOUT_MS = 120_000;
const EXIT_TIMEOUT_MS = 3000;

/** Returns the living process that has the lock of a data directory, usually its supervisor; or null. */
export function findSupervisor(layout: InstanceLayout): ProcessIdentity | null {
  const holder = readLock(layout.lockFile);
  return holder !== null && isAlive(holder) ? holder : null;
}

/** Returns true if the process that has the lock runs the instance, or starts or stops it. */
export function isSupervisor({ stateFile }: InstanceLayout, { pid, startTime }: ProcessIdentity): boolean {
  const supervisor = readState(stateFile)?.supervisor;
  return supervisor?.pid === pid && supervisor.startTime === startTime;
}

/** Stops the instance of a data directory, and cleans up after a dead supervisor. */
export async function stopInstance(layout: InstanceLayout): Promise<StopOutcome> {
  const supervisor = findSupervisor(layout);
  if (supervisor === null) return { kind: 'not-running', ended: await cleanUp(layout) };
  if (!isSupervisor(layout, supervisor)) return { kind: 'occupied', pid: supervisor.pid };
  process.kill(supervisor.pid, 'SIGTERM');
  const released = (): boolean => {
    const holder = readLock(layout.lockFile);
    return !isAlive(supervisor) || holder?.pid !== supervisor.pid;
  };
  if (!(await waitUntil(released, { timeoutMs: STOP_TIMEOUT_MS, everyMs: 50 })))
    return { kind: 'still-stopping', pid: supervisor.pid };
  // A dedicated supervisor exits now; a test run continues.
  if (await waitUntil(() => !isAlive(supervisor), { timeoutMs: EXIT_TIMEOUT_MS })) await cleanUp(layout);
  return { kind: 'stopped', pid: supervisor.pid };
}

async function cleanUp(layout: InstanceLayout): Promise<string[]> {
  const state = readState(layout.stateFile);
  const recorded = state === null || state.phase === 'stopped' ? [] : processesOf(state);
  const { ended } = await endInstanceProcesses(layout.dataDir, recorded);
  if (state === null || state.phase === 'stopped') return ended;
  writeState(layout.stateFile, {
    ...state,
    phase: state.phase === 'failed' ? 'failed' : 'stopped',
    nodes: stoppedNodes(state),
  });
  return ended;
}

function stoppedNodes(state: SupervisorState): SupervisorState['nodes'] {
  const nodes: SupervisorState['nodes'] = {};
  for (const [name, node] of Object.entries(state.nodes)) {
    const { process: _ended, ...rest } = node;
    nodes[name] = { ...rest, status: 'stopped' };
  }
  return nodes;
}
