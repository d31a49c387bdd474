import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { setPriority } from 'node:os';
import { z } from 'zod';
import type { Command } from './definitions.ts';
import { openLog } from './log-file.ts';
import { identifyProcess, type ProcessIdentity, signalGroup } from './process-identity.ts';

const readyMessageSchema = z.object({ type: z.literal('ready') });

/** End of a process as text. */
export interface ChildExit {
  readonly text: string;
}

/** A process in its own session, so that Ctrl-C reaches the supervisor only. */
export interface Child {
  readonly identity: ProcessIdentity;
  /** Resolves when the process has ended. Never rejects. */
  readonly exited: Promise<ChildExit>;
  /** Resolves when the process reports ready over its channel. */
  readonly reportedReady: Promise<void>;
  alive(): boolean;
  /** Signals the process, not its group, and closes its channel, which can prevent its exit. */
  requestStop(signal: NodeJS.Signals): void;
}

/** Lowers a process's priority; ignores an ended process. */
function lowerPriority(pid: number, niceness: number): void {
  try {
    setPriority(pid, niceness);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_SYSTEM_ERROR')) throw error;
  }
}

/** Starts a process that writes its own log. Rejects if it cannot be started. */
export async function startChild(command: Command, logFile: string, channel: boolean): Promise<Child> {
  const log = openLog(logFile);
  let child: ChildProcess;
  try {
    child = spawn(command.file, command.args, {
      cwd: command.workingDirectory,
      env: command.environment,
      detached: true,
      stdio: channel ? ['ignore', log, log, 'ipc'] : ['ignore', log, log],
      ...(command.uid === undefined ? {} : { uid: command.uid }),
      ...(command.gid === undefined ? {} : { gid: command.gid }),
    });
  } finally {
    closeSync(log);
  }
  // Registered at once: a supervisor that exits before this function resolves must end the child.
  const killUnknown = (): void => void (child.pid !== undefined && signalGroup(child.pid, 'SIGKILL'));
  process.once('exit', killUnknown);
  setImmediate(() => setImmediate(() => process.removeListener('exit', killUnknown)));
  const exited = Promise.withResolvers<ChildExit>();
  const ready = Promise.withResolvers<void>();
  const spawned = Promise.withResolvers<void>();
  child.once('spawn', () => spawned.resolve());
  child.on('error', (error) =>
    spawned.reject(new Error(`${command.file} cannot be started: ${error.message}`, { cause: error })),
  );
  child.on('message', (message) => {
    if (readyMessageSchema.safeParse(message).success) ready.resolve();
  });
  child.once('exit', (code, signal) => {
    // Ends the process's own children.
    if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    exited.resolve({ text: signal === null ? `exit code ${code}` : `ended by ${signal}` });
  });
  await spawned.promise;
  const pid = child.pid ?? 0;
  // Inherited by its children.
  if (pid > 0 && command.niceness !== undefined && child.exitCode === null) lowerPriority(pid, command.niceness);
  return {
    // An ended process has no start time; its id is never signalled.
    identity: identifyProcess(pid) ?? { pid, startTime: 'ended' },
    exited: exited.promise,
    reportedReady: ready.promise,
    alive: () => child.exitCode === null && child.signalCode === null,
    requestStop: (signal) => {
      child.kill(signal);
      if (child.connected) child.disconnect();
    },
  };
}
