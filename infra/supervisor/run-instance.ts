import { type Instance, openInstance, type OpenInstanceOptions, prepareDataDirectory } from '../instance/instance.ts';
import type { InstanceLayout } from '../instance/layout.ts';
import { copiedProgram, removeCopy, settleCopy } from '../instance/upgrade-copy.ts';
import { checkFailedUpgrade, stampProgram } from '../instance/version-stamp.ts';
import { type NodeDefinition, SupervisorError } from './definitions.ts';
import { identifyProcess } from './process-identity.ts';
import type { Progress } from './progress.ts';
import { type Phase, writeState } from './state.ts';
import { Supervisor } from './supervisor.ts';
import { takeOver } from './take-over.ts';

const PORT_TRIES = 5;

export interface RunInstanceOptions<Prepared> extends OpenInstanceOptions {
  readonly dataDir: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Long preparation without running processes; precedes the choice of ports. */
  readonly prepare: () => Promise<Prepared>;
  readonly nodes: (instance: Instance, prepared: Prepared) => readonly NodeDefinition[];
  readonly url?: (instance: Instance) => string;
}

export interface SupervisedInstance {
  readonly instance: Instance;
  readonly supervisor: Supervisor;
  /** Stops everything and releases the data directory. */
  readonly stop: () => Promise<void>;
}

/**
 * Runs a graph on a data directory as its only supervisor; resolves once all nodes are ready. Rejects with
 * AlreadyRunningError, InstanceError, EngineError or SupervisorError, without leaving a process.
 */
export async function runInstance<Prepared>(options: RunInstanceOptions<Prepared>): Promise<SupervisedInstance> {
  const layout = prepareDataDirectory(options.dataDir);
  const lock = await takeOver(layout, options.progress);
  const startedAt = new Date().toISOString();
  const note = (phase: Phase, error?: string): void => {
    const self = identifyProcess(process.pid) ?? { pid: process.pid, startTime: 'unknown' };
    writeState(layout.stateFile, {
      supervisor: self,
      phase,
      startedAt,
      nodes: {},
      ...(error === undefined ? {} : { error }),
    });
  };
  try {
    await settleCopy(layout);
    if (copiedProgram(layout) === null) checkFailedUpgrade(layout.versionFile);
    note('starting');
    const prepared = await options.prepare().catch((error: unknown) => {
      note('failed', error instanceof Error ? error.message : String(error));
      throw error;
    });
    stampProgram(layout.versionFile);
    const { instance, supervisor } = await startOnFreePorts(options, layout, prepared);
    const stop = async (): Promise<void> => {
      try {
        await supervisor.stop();
      } finally {
        lock.release();
      }
    };
    try {
      // There is no way back: from now on events are accepted, and erasures and retention do not reach the copy.
      await removeCopy(layout);
    } catch (error) {
      await stop();
      throw error;
    }
    return { instance, supervisor, stop };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Retries with other ports if another program binds a chosen port before the engine does. */
async function startOnFreePorts<Prepared>(
  options: RunInstanceOptions<Prepared>,
  layout: InstanceLayout,
  prepared: Prepared,
): Promise<Pick<SupervisedInstance, 'instance' | 'supervisor'>> {
  for (let attempt = 1; ; attempt += 1) {
    const instance = await openInstance(options.dataDir, options);
    const supervisor = new Supervisor({
      nodes: options.nodes(instance, prepared),
      dataDir: layout.dataDir,
      logFolder: layout.logs,
      stateFile: layout.stateFile,
      progress: options.progress,
      ...(options.url ? { url: options.url(instance) } : {}),
    });
    try {
      await supervisor.start(options.signal);
      return { instance, supervisor };
    } catch (error) {
      const mayTryAgain = error instanceof SupervisorError && error.code === 'port-taken' && attempt < PORT_TRIES;
      if (!mayTryAgain) throw error;
      options.progress.step('ports').update(`${error.message.split('\n', 1)[0]}; starting again with another`);
    }
  }
}
