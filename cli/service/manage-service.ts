import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomic } from '../../infra/instance/atomic-file.ts';
import type { ExitCode } from '../command-context.ts';
import type { Output } from '../output.ts';
import type { RunCommand, ServiceDefinition } from './service-commands.ts';
import type { ServiceManager } from './service-manager.ts';

type Command = ServiceManager['status'];

export interface ServicePorts {
  readonly manager: ServiceManager;
  readonly run: RunCommand;
  readonly output: Output;
}

const FILE_MODE = 0o644;

/**
 * Writes the service file and starts the service. Returns 1 and prints the commands to run by hand if the service manager is
 * unreachable.
 */
export function installService(definition: ServiceDefinition, { manager, run, output }: ServicePorts): ExitCode {
  const isNew = writeFile(definition, manager);
  if (!isNew && isRunning(manager, run)) {
    output.out(`Nothing to change: ${manager.file} is installed and running.\n`);
    return 0;
  }
  output.out(`${manager.file}: ${isNew ? 'written' : 'unchanged'}\n`);
  if (isNew) for (const command of manager.beforeStart) run(...split(command));
  return runAll(manager.start, { run, output }, 'Service started.') ? printNote(output, manager.note) : 1;
}

/** Writes the file if it differs; returns whether it did. */
function writeFile(definition: ServiceDefinition, { file, render }: ServiceManager): boolean {
  const text = render(definition);
  if (readText(file) === text) return false;
  mkdirSync(path.join(definition.dataDir, 'logs'), { recursive: true, mode: 0o700 });
  writeFileAtomic(file, text, FILE_MODE);
  return true;
}

/** The service that runs an instance, while an upgrade replaces its program. Commands print nothing. */
export interface InstanceService {
  /** Writes this program to the service file, or the one that it named before. */
  setProgram(program: 'this' | 'former'): void;
  /** Returns false if the service manager cannot start it. Does not wait until the instance is ready. */
  start(): boolean;
  stop(): void;
}

/** Returns the service whose file runs the instance of a data directory; null if none does. `definition` names this program. */
export function instanceService(
  definition: ServiceDefinition,
  { manager, run }: Pick<ServicePorts, 'manager' | 'run'>,
): InstanceService | null {
  const former = readText(manager.file);
  // A service that sends transcripts names the same data directory.
  const runsIt = ['up', definition.dataDir].every((word) => former?.includes(manager.quote(word)) === true);
  if (former === null || !runsIt) return null;
  return {
    setProgram: (program) =>
      writeFileAtomic(manager.file, program === 'this' ? manager.render(definition) : former, FILE_MODE),
    start: () => {
      // launchd has a service that ended; systemd needs no command.
      for (const command of manager.beforeStart) run(...split(command));
      return manager.start.every((command) => succeeds(command, run));
    },
    stop: () => void succeeds(manager.halt, run),
  };
}

function printNote(output: Output, note: string): ExitCode {
  output.out(`${note}\n`);
  return 0;
}

/** Stops the service and removes its file. */
export function uninstallService({ manager, run, output }: ServicePorts): ExitCode {
  if (!existsSync(manager.file)) {
    output.out(`Nothing to change: ${manager.file} does not exist.\n`);
    return 0;
  }
  // Before the file is removed: the manager needs it to stop the service.
  const stopped = runAll(manager.stop, { run, output }, 'Service stopped.');
  rmSync(manager.file);
  output.out(`${manager.file}: removed\n`);
  const reloaded = manager.afterRemoval.length === 0 || runAll(manager.afterRemoval, { run, output }, '');
  return stopped && reloaded ? 0 : 1;
}

/** Prints the state of the service. Exit code 3 if it is not running. */
export function serviceStatus({ manager, run, output }: ServicePorts): ExitCode {
  if (!existsSync(manager.file)) {
    output.out(`No service is installed (${manager.file}).\n`);
    return 3;
  }
  const running = isRunning(manager, run);
  output.out(`${manager.file}: ${running ? 'running' : `installed, not running in ${manager.name}`}\n`);
  return running ? 0 : 3;
}

/** Returns true if the service runs; launchd also has one that ended. */
export function isRunning({ status }: Pick<ServiceManager, 'status'>, run: RunCommand): boolean {
  return succeeds(status, run);
}

function succeeds(command: Command, run: RunCommand): boolean {
  const outcome = run(...split(command));
  return outcome.kind === 'ended' && outcome.exitCode === 0;
}

/** Runs commands until one fails, then prints the remaining ones. */
function runAll(commands: readonly Command[], { run, output }: Omit<ServicePorts, 'manager'>, done: string): boolean {
  for (const [index, command] of commands.entries()) {
    const outcome = run(...split(command));
    if (outcome.kind === 'ended' && outcome.exitCode === 0) continue;
    const reason =
      outcome.kind === 'absent'
        ? `${command[0]} not found`
        : (outcome.stderr.trim().split('\n')[0] ?? '') || `exit code ${outcome.exitCode}`;
    const remaining = commands.slice(index).map((words) => `  ${words.join(' ')}\n`);
    output.err(`${command.join(' ')}: ${reason}\nRun by hand:\n${remaining.join('')}`);
    return false;
  }
  if (done !== '') output.out(`${done}\n`);
  return true;
}

function split([program, ...args]: Command): [string, string[]] {
  return [program, args];
}

function readText(file: string): string | null {
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}
