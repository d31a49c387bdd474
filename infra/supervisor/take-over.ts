import type { InstanceLayout } from '../instance/layout.ts';
import { endLeftovers } from './leftovers.ts';
import { acquireLock } from './lock.ts';
import type { Progress } from './progress.ts';
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
  if (state !== null) {
    const leftovers = processesOf(state);
    const ended = await endLeftovers(leftovers);
    if (ended.length > 0) progress.step('leftovers').done(`ended ${ended.join(', ')} of a run that was killed`);
  }
  return lock;
}
