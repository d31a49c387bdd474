import { visibleText } from '../../domain/recalled/inert-text.ts';
import type { InstanceLayout } from '../instance/layout.ts';
import { acquireLock } from './lock.ts';
import type { Progress } from './progress.ts';
import { endInstanceProcesses } from './orphans.ts';
import { processesOf, readState } from './state.ts';

/** Another process runs the data directory. */
export class AlreadyRunningError extends Error {
  override readonly name = 'AlreadyRunningError';
  readonly pid: number;
  /** Null while the other process is starting. */
  readonly url: string | null;

  constructor(pid: number, url: string | null) {
    super(`The instance is already running (process ${pid}${url === null ? '' : `, ${url}`}).`);
    this.pid = pid;
    this.url = url;
  }
}

/**
 * Locks a data directory for this process and ends what a killed supervisor left running.
 * @throws AlreadyRunningError if a living process has the lock
 */
export async function takeOver(layout: InstanceLayout, progress: Progress): Promise<{ release(): void }> {
  const lock = acquireLock(layout.lockFile);
  const state = readState(layout.stateFile);
  if (lock.kind === 'taken') {
    const url = state?.supervisor.pid === lock.holder.pid && state.phase === 'running' ? (state.url ?? null) : null;
    throw new AlreadyRunningError(lock.holder.pid, url);
  }
  const { ended, others } = await endInstanceProcesses(layout.dataDir, state === null ? [] : processesOf(state));
  if (ended.length > 0) progress.step('leftovers').done(`ended ${ended.join(', ')} of a killed supervisor`);
  if (others.length > 0) {
    const each = others.map(({ name, pid, dataDir }) => `${name} (process ${pid}, data in ${visibleText(dataDir)})`);
    progress
      .step('orphans')
      .done(
        `servers of other instances without a supervisor: ${each.join(', ')}. Run recollect down --data-dir with their data directory`,
      );
  }
  return lock;
}
