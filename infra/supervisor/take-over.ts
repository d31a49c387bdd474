import type { InstanceLayout } from '../instance/layout.ts';
import { endLeftovers } from './leftovers.ts';
import { acquireLock } from './lock.ts';
import type { Progress } from './progress.ts';
import { findOrphans, type Orphan } from './orphans.ts';
import { processesOf, readState } from './state.ts';

/** The data directory is being run by another process. */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
  readonly pid: number;
  /** Null while the other one is still starting. */
  readonly url: string | null;

  constructor(pid: number, url: string | null) {
    super(`The instance already runs (process ${pid}${url === null ? '' : `, ${url}`}).`);
    this.pid = pid;
    this.url = url;
  }
}

/**
 * Makes this process the only one that runs a data directory, and ends what a killed predecessor left running.
 * Throws AlreadyRunningError when a living process has it.
 */
export async function takeOver(layout: InstanceLayout, progress: Progress): Promise<{ release(): void }> {
  const lock = acquireLock(layout.lockFile);
  const state = readState(layout.stateFile);
  if (lock.kind === 'taken') {
    const url = state?.supervisor.pid === lock.holder.pid && state.phase === 'running' ? (state.url ?? null) : null;
    throw new AlreadyRunningError(lock.holder.pid, url);
  }
  const orphans = findOrphans();
  const isHere = (orphan: Orphan): boolean => orphan.dataDir === layout.dataDir;
  const noted = state === null ? [] : processesOf(state);
  // What no state names, because the folder was deleted meanwhile, still says in its environment whose it is.
  const unnoted = orphans.filter((orphan) => isHere(orphan) && noted.every(({ pid }) => pid !== orphan.pid));
  const ended = await endLeftovers([...noted, ...unnoted]);
  if (ended.length > 0) progress.step('leftovers').done(`ended ${ended.join(', ')} of a run that was killed`);
  sayOrphans(
    orphans.filter((orphan) => !isHere(orphan)),
    progress,
  );
  return lock;
}

/** Servers of other data directories are not ours to end. */
function sayOrphans(orphans: readonly Orphan[], progress: Progress): void {
  if (orphans.length === 0) return;
  const each = orphans.map(({ name, pid, dataDir }) => `${name} (process ${pid}, data in ${dataDir})`);
  progress
    .step('orphans')
    .done(
      `servers without a supervisor: ${each.join(', ')}. End them by recollect down --data-dir with their data directory`,
    );
}
