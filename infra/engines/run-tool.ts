import { CodedError } from '../coded-error.ts';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { signalGroup } from '../supervisor/process-identity.ts';

const SHOWN_LINES = 40;

export interface ToolCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onLine?: ((line: string) => void) | undefined;
}

export interface ToolResult {
  readonly exitCode: number;
  /** Last lines of stdout and stderr, in order of arrival. */
  readonly lines: readonly string[];
}

/** A tool that could not be started or was stopped. */
export class ToolError extends CodedError<'not-started' | 'aborted'> {
  override readonly name = 'ToolError';
}

/**
 * Runs a tool in its own process group; returns its exit code (128 if ended by a signal)
 * and last lines. An abort kills the group. Rejects with ToolError.
 */
export async function runTool(command: ToolCommand): Promise<ToolResult> {
  if (command.signal?.aborted) throw new ToolError('aborted', 'stopped');
  const child = spawn(command.file, command.args, {
    cwd: command.workingDirectory,
    env: command.environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(command.uid === undefined ? {} : { uid: command.uid }),
    ...(command.gid === undefined ? {} : { gid: command.gid }),
  });
  const lines: string[] = [];
  const collect = (line: string): void => {
    lines.push(line);
    if (lines.length > SHOWN_LINES) lines.shift();
    command.onLine?.(line);
  };
  createInterface({ input: child.stdout }).on('line', collect);
  createInterface({ input: child.stderr }).on('line', collect);
  const kill = (): void => {
    if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
  };
  const ended = Promise.withResolvers<number>();
  child.once('error', (error) =>
    ended.reject(new ToolError('not-started', `${command.file} cannot be started: ${error.message}`, { cause: error })),
  );
  child.once('close', (code) => ended.resolve(code ?? 128));
  command.signal?.addEventListener('abort', kill, { once: true });
  // The group is not the terminal's and would survive this process.
  process.once('exit', kill);
  try {
    const exitCode = await ended.promise;
    if (command.signal?.aborted) throw new ToolError('aborted', 'stopped');
    return { exitCode, lines };
  } finally {
    command.signal?.removeEventListener('abort', kill);
    process.removeListener('exit', kill);
  }
}
