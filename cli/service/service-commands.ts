import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { MODULE_EXTENSION } from '../../config/module-files.ts';
import type { Environment } from '../../config/process-environment.ts';

const TIMEOUT_MS = 30_000;

/** Result of a program. `absent`: not found. */
export type CommandOutcome =
  | { readonly kind: 'ended'; readonly exitCode: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'absent' };

/** Runs a program to its end without a shell. */
export type RunCommand = (program: string, args: readonly string[], folder?: string) => CommandOutcome;

/** Runs programs on the PATH of `environment`; ends them after `timeoutMs` with exit code 1. */
export function runCommandIn(environment: Environment, timeoutMs = TIMEOUT_MS): RunCommand {
  return (program, args, folder) => {
    const { error, status, stdout, stderr } = spawnSync(program, [...args], {
      encoding: 'utf8',
      env: { ...environment },
      timeout: timeoutMs,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(folder === undefined ? {} : { cwd: folder }),
    });
    if (error !== undefined && 'code' in error && error.code === 'ENOENT') return { kind: 'absent' };
    return { kind: 'ended', exitCode: status ?? 1, stdout: stdout ?? '', stderr: stderr ?? '' };
  };
}

/** A service that starts at login: an instance, or the import of transcripts to a remote server. Paths are absolute. */
export interface ServiceDefinition {
  readonly node: string;
  /** The file that Node runs as the `recollect` command. */
  readonly cli: string;
  readonly dataDir: string;
  /** PATH of the service, to find the same engines. */
  readonly searchPath: string;
  /** Folder of transcripts to send to a remote server; null: run the instance. */
  readonly follows: string | null;
}

const CLI_FILE = path.resolve(import.meta.dirname, `../main${MODULE_EXTENSION}`);

/** Returns the service of a data directory, run by this program. */
export function serviceDefinition(
  dataDir: string,
  environment: Environment,
  follows: string | null,
): ServiceDefinition {
  return {
    node: process.execPath,
    cli: CLI_FILE,
    dataDir: path.resolve(dataDir),
    searchPath: environment['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    follows,
  };
}

/** Time to stop before the manager kills the service: PostgreSQL flushes, workers finish their step. */
export const STOP_SECONDS = 90;

/** Returns the command of the service. */
export function serviceCommand({ node, cli, dataDir, follows }: ServiceDefinition): string[] {
  const command = follows === null ? ['up'] : ['import', 'transcripts', follows, '--follow'];
  return [node, '--max-semi-space-size=4', cli, ...command, '--data-dir', dataDir];
}

/** Returns the restart delay: short for an instance, long for an import that a server permanently rejects. */
export function restartSeconds({ follows }: ServiceDefinition): number {
  return follows === null ? 5 : 60;
}

/** A value that cannot be written to a service file. */
export class ServiceValueError extends Error {
  override readonly name = 'ServiceValueError';
}

/** @throws ServiceValueError for a value with a control character, which could add lines to the file */
export function checkValues(definition: ServiceDefinition): void {
  for (const value of Object.values(definition))
    if (typeof value === 'string' && /\p{Cc}/u.test(value))
      throw new ServiceValueError('Paths with control characters cannot be written to a service file.');
}
