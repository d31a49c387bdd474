import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { SUPERVISOR_MARK, SYSTEM_NAMES } from '../../config/process-environment.ts';
import type { Environment } from '../../config/process-environment.ts';
import { ModelError } from '../../domain/ports/model.ts';
import { inRunFolder, scratchFolder } from './run-folder.ts';
import type { RunFolder } from './run-folder.ts';

/** One run of the program. */
export interface ClaudeRun {
  readonly model: string;
  readonly system: string;
  readonly user: string;
  readonly schema: Record<string, unknown>;
}

export interface ClaudeProgram {
  /** Name on the PATH, or path. */
  readonly command: string;
  /** Environment of this process, of which the program gets what it needs to find its log-in and the network. */
  readonly environment: Environment;
  readonly timeoutMs: number;
  readonly maxOutputTokens: number;
}

/** Lines of a run are some kilobytes each. */
const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;

const PASSED = new Set<string>([
  ...SYSTEM_NAMES,
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
  'CLAUDE_CONFIG_DIR',
  // Leads a group of its own: without the mark nothing would find it after the worker was killed.
  SUPERVISOR_MARK,
]);

/**
 * Returns the environment of the program: no settings or keys of Recollect and no key of a provider, so that only the user's own log-in is used; no
 * thinking, retries, updates or reports. `RECOLLECT_INTERNAL` ends Recollect's hook client at once, also if an administrator enforces its hooks.
 */
export function claudeEnvironment(environment: Environment, maxOutputTokens: number): Record<string, string> {
  const passed = Object.entries(environment).flatMap(([name, value]) =>
    value !== undefined && PASSED.has(name) ? [[name, value] as const] : [],
  );
  return {
    ...Object.fromEntries(passed),
    MAX_THINKING_TOKENS: '0',
    CLAUDE_CODE_MAX_OUTPUT_TOKENS: String(maxOutputTokens),
    CLAUDE_CODE_MAX_RETRIES: '0',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    RECOLLECT_INTERNAL: '1',
  };
}

/** Returns the arguments of a run without tools, hooks, plugins, settings, servers and transcript. */
export function claudeArguments({ model, schema }: Pick<ClaudeRun, 'model' | 'schema'>, systemFile: string): string[] {
  return [
    '-p',
    '--output-format',
    'stream-json',
    '--verbose',
    '--model',
    model,
    '--system-prompt-file',
    systemFile,
    '--json-schema',
    JSON.stringify(schema),
    '--tools',
    '',
    '--safe-mode',
    '--setting-sources',
    '',
    '--strict-mcp-config',
    '--no-session-persistence',
  ];
}

/** What a run left: its lines in order, and its exit code; null if a signal ended it. */
export interface ClaudeOutput {
  readonly lines: readonly string[];
  readonly code: number | null;
}

/** Failures to start that pass: too many processes, open files, or too little memory. Others need a corrected setting. */
const PASSING = new Set(['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM']);

/**
 * Runs the program once, in an empty folder. @throws ModelError `unauthorised` if it cannot be started, `timeout`, `unavailable` if it prints too
 * much or the machine lacks processes, memory or disk space; the signal's reason
 */
export function runClaude(program: ClaudeProgram, run: ClaudeRun, signal: AbortSignal): Promise<ClaudeOutput> {
  return inRunFolder(scratchFolder(program.environment), run.system, (files) => runIn(files, program, run, signal));
}

async function runIn(
  { emptyFolder, systemFile }: RunFolder,
  program: ClaudeProgram,
  run: ClaudeRun,
  signal: AbortSignal,
): Promise<ClaudeOutput> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<ClaudeOutput>();
  const limit = AbortSignal.timeout(program.timeoutMs);
  const child = start(program, claudeArguments(run, systemFile), emptyFolder);
  const chunks: Buffer[] = [];
  let bytes = 0;
  const hasExited = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const finish = (): void =>
    resolve({ lines: Buffer.concat(chunks).toString('utf8').split('\n'), code: child.exitCode });
  /** Ends the call even if a process outside the group has the output open. */
  const end = (): void => {
    // After its exit the id may become that of another process.
    if (!hasExited()) killGroup(child);
    child.stdin?.destroy();
    child.stdout?.destroy();
    finish();
  };
  child.on('error', (error) => reject(startFailure(error)));
  // What the program started has nothing to add, and would leave the output open.
  child.once('exit', () => killGroup(child));
  child.once('close', finish);
  child.stdout?.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_OUTPUT_BYTES) end();
    else chunks.push(chunk);
  });
  // The program may end before it has read everything: its exit shows why.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(run.user);
  const ended = AbortSignal.any([signal, limit]);
  ended.addEventListener('abort', end);
  try {
    const output = await promise;
    signal.throwIfAborted();
    // The output of a program that has exited is complete, even if its end was not seen in time.
    if (limit.aborted && !hasExited()) throw new ModelError('timeout', 'The model sent no response in time');
    if (bytes > MAX_OUTPUT_BYTES) throw new ModelError('unavailable', 'The model sent a response that is too long');
    return output;
  } finally {
    ended.removeEventListener('abort', end);
  }
}

/** Starts the program. Its streams are missing if the process has too many open files. @throws ModelError */
function start(program: ClaudeProgram, args: readonly string[], cwd: string): ChildProcess {
  try {
    return spawn(program.command, args, {
      cwd,
      env: claudeEnvironment(program.environment, program.maxOutputTokens),
      stdio: ['pipe', 'pipe', 'ignore'],
      // A group of its own: the command may be a script that starts the program.
      detached: true,
    });
  } catch (error) {
    throw startFailure(error);
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // No process of the group is left.
  }
}

/** Returns the failure of a program that could not be started. */
export function startFailure(error: unknown): ModelError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  const kind = PASSING.has(code) ? 'unavailable' : 'unauthorised';
  return new ModelError(kind, `The program of claude-cli cannot be started (${code})`);
}
