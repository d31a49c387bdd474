import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomic } from '../../infra/instance/atomic-file.ts';
import type { ExitCode } from '../command-context.ts';
import type { Output } from '../output.ts';
import type { RunCommand } from './run-command.ts';
import type { ServiceDefinition } from './service-definition.ts';
import type { ServiceManager } from './service-manager.ts';

type Command = ServiceManager['status'];

export interface ServicePorts {
  readonly manager: ServiceManager;
  readonly run: RunCommand;
  readonly output: Output;
}

const FILE_MODE = 0o644;

/**
 * Writes the service's file and starts it. Success when the file is there and, where its manager can be reached, the service runs;
 * where it cannot, the commands to run are said and the exit code is 1.
 */
export function installService(definition: ServiceDefinition, { manager, run, output }: ServicePorts): ExitCode {
  const text = manager.render(definition);
  const isNew = readText(manager.file) !== text;
  if (isNew) {
    mkdirSync(path.join(definition.dataDir, 'logs'), { recursive: true, mode: 0o700 });
    writeFileAtomic(manager.file, text, FILE_MODE);
  } else if (isRunning(manager, run)) {
    output.out(`Nothing to change: ${manager.file} is there, and the service runs.\n`);
    return 0;
  }
  output.out(`${manager.file}: ${isNew ? 'written' : 'is as it should be'}\n`);
  if (isNew) for (const command of manager.beforeStart) run(...split(command));
  return runAll(manager.start, { run, output }, 'The service was started.') ? said(output, manager.note) : 1;
}

function said(output: Output, note: string): ExitCode {
  output.out(`${note}\n`);
  return 0;
}

/** Stops the service and removes its file. Success when afterwards there is none. */
export function uninstallService({ manager, run, output }: ServicePorts): ExitCode {
  if (!existsSync(manager.file)) {
    output.out(`Nothing to change: there is no ${manager.file}.\n`);
    return 0;
  }
  // Told before its file goes: afterwards it would not know what to stop.
  const stopped = runAll(manager.stop, { run, output }, 'The service was stopped.');
  rmSync(manager.file);
  output.out(`${manager.file}: removed\n`);
  const forgotten = manager.afterRemoval.length === 0 || runAll(manager.afterRemoval, { run, output }, '');
  return stopped && forgotten ? 0 : 1;
}

/** Says whether the service is installed and runs. Exit code 3 when it does not run. */
export function serviceStatus({ manager, run, output }: ServicePorts): ExitCode {
  if (!existsSync(manager.file)) {
    output.out(`No service is installed (${manager.file}).\n`);
    return 3;
  }
  const running = isRunning(manager, run);
  output.out(`${manager.file}: ${running ? 'runs' : `installed, ${manager.name} does not run it`}\n`);
  return running ? 0 : 3;
}

function isRunning({ status }: ServiceManager, run: RunCommand): boolean {
  const outcome = run(...split(status));
  return outcome.kind === 'ended' && outcome.exitCode === 0;
}

/** Runs commands until one fails; then says what is left to run by hand. */
function runAll(commands: readonly Command[], { run, output }: Omit<ServicePorts, 'manager'>, done: string): boolean {
  for (const [index, command] of commands.entries()) {
    const outcome = run(...split(command));
    if (outcome.kind === 'ended' && outcome.exitCode === 0) continue;
    const why =
      outcome.kind === 'absent'
        ? `there is no ${command[0]} here`
        : (outcome.stderr.trim().split('\n')[0] ?? '') || `it ended with ${outcome.exitCode}`;
    const left = commands.slice(index).map((words) => `  ${words.join(' ')}\n`);
    output.err(`${command.join(' ')}: ${why}\nRun this where it can be reached:\n${left.join('')}`);
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
