import { spawnSync } from 'node:child_process';
import type { Environment } from '../../config/process-environment.ts';

const TIMEOUT_MS = 30_000;

/** How another program ended. `absent`: there is no such program here. */
export type CommandOutcome =
  | { readonly kind: 'ended'; readonly exitCode: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'absent' };

/** Runs a program to its end, with its arguments as they are: no shell reads them. */
export type RunCommand = (program: string, args: readonly string[], folder?: string) => CommandOutcome;

/** Runs programs of this machine, found on the PATH of `environment`. One that hangs is ended after 30 seconds, exit code 1. */
export function runCommandIn(environment: Environment): RunCommand {
  return (program, args, folder) => {
    const { error, status, stdout, stderr } = spawnSync(program, [...args], {
      encoding: 'utf8',
      env: { ...environment },
      timeout: TIMEOUT_MS,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(folder === undefined ? {} : { cwd: folder }),
    });
    if (error !== undefined && 'code' in error && error.code === 'ENOENT') return { kind: 'absent' };
    return { kind: 'ended', exitCode: status ?? 1, stdout: stdout ?? '', stderr: stderr ?? '' };
  };
}
