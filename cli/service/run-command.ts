import { spawnSync } from 'node:child_process';
import type { Environment } from '../../config/process-environment.ts';

const TIMEOUT_MS = 30_000;

/** Result of a program. `absent`: not found. */
export type CommandOutcome =
  | { readonly kind: 'ended'; readonly exitCode: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'absent' };

/** Runs a program to its end without a shell. */
export type RunCommand = (program: string, args: readonly string[], folder?: string) => CommandOutcome;

/** Runs programs on the PATH of `environment`; ends them after 30 s with exit code 1. */
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
