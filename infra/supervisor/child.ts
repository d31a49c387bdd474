import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { setPriority } from 'node:os';
import { z } from 'zod';
import type { Command } from './definitions.ts';
import { openLog } from './log-file.ts';
import { identifyProcess, type ProcessIdentity, signalGroup } from './process-identity.ts';

const readyMessageSchema = z.object({ type: z.literal('ready') });

/** How a process ended, in words for a person. */
export interface ChildExit {
  readonly text: string;
}

/** A started process of its own session, so that a terminal's Ctrl-C reaches the supervisor only. */
export interface Child {
  readonly identity: ProcessIdentity;
  /** Resolves once, when the process has ended. Never rejects. */
  readonly exited: Promise<ChildExit>;
  /** Resolves when the process said that it is ready. Only for a child with a channel. */
  readonly saidReady: Promise<void>;
  alive(): boolean;
  /** Sends a signal to the process, not to its group, and closes its channel: an open one can keep a child from ending. */
  askToStop(signal: NodeJS.Signals): void;
}

/** Lowers a process's priority. One that has ended meanwhile has none, which its exit tells. */
function standBack(pid: number, niceness: number): void {
  try {
    setPriority(pid, niceness);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_SYSTEM_ERROR')) throw error;
  }
}

/** Starts a process that writes its own log. Rejects when the system cannot start it. */
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
  // Nobody else knows it until it is handed out: a supervisor that leaves before that ends it all the same.
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
    // Whatever the process started itself must not outlive it.
    if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    exited.resolve({ text: signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}` });
  });
  await spawned.promise;
  const pid = child.pid ?? 0;
  // Inherited by whatever it starts from here on.
  if (pid > 0 && command.niceness !== undefined && child.exitCode === null) standBack(pid, command.niceness);
  return {
    // A process that ended already has no start time; its number is then never used for a signal.
    identity: identifyProcess(pid) ?? { pid, startTime: 'ended' },
    exited: exited.promise,
    saidReady: ready.promise,
    alive: () => child.exitCode === null && child.signalCode === null,
    askToStop: (signal) => {
      child.kill(signal);
      if (child.connected) child.disconnect();
    },
  };
}
