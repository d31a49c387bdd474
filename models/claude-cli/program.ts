import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SYSTEM_NAMES } from '../../config/process-environment.ts';
import type { Environment } from '../../config/process-environment.ts';
import { ModelError } from '../../domain/ports/model.ts';

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
]);

/**
 * Returns the environment of the program: no settings or keys of Recollect and no key of a provider, so that only the user's own log-in is used; no
 * thinking, retries, updates or reports. `RECOLLECT_INTERNAL` ends Recollect's own hooks at once, also those that an administrator enforces.
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

/**
 * Runs the program once, in an empty folder. @throws ModelError `unauthorised` if it cannot be started, `timeout`, `unavailable` if it prints too
 * much; the signal's reason
 */
export async function runClaude(program: ClaudeProgram, run: ClaudeRun, signal: AbortSignal): Promise<ClaudeOutput> {
  const folder = await mkdtemp(path.join(tmpdir(), 'recollect-claude-'));
  try {
    const systemFile = path.join(folder, 'system.txt');
    const emptyFolder = path.join(folder, 'empty');
    await writeFile(systemFile, run.system, { mode: 0o600 });
    await mkdir(emptyFolder);
    return await runIn(emptyFolder, program, run, systemFile, signal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runIn(
  cwd: string,
  program: ClaudeProgram,
  run: ClaudeRun,
  systemFile: string,
  signal: AbortSignal,
): Promise<ClaudeOutput> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<ClaudeOutput>();
  const limit = AbortSignal.timeout(program.timeoutMs);
  const child = spawn(program.command, claudeArguments(run, systemFile), {
    cwd,
    env: claudeEnvironment(program.environment, program.maxOutputTokens),
    stdio: ['pipe', 'pipe', 'ignore'],
    // A group of its own: the command may be a script that starts the program.
    detached: true,
  });
  const kill = (): void => {
    if (child.pid === undefined || child.exitCode !== null) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  };
  const ended = AbortSignal.any([signal, limit]);
  ended.addEventListener('abort', kill);
  const chunks: Buffer[] = [];
  let bytes = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_OUTPUT_BYTES) kill();
    else chunks.push(chunk);
  });
  child.once('error', (error: NodeJS.ErrnoException) =>
    reject(new ModelError('unauthorised', `The program of claude-cli cannot be started (${error.code ?? 'unknown'})`)),
  );
  child.once('close', (code) => resolve({ lines: Buffer.concat(chunks).toString('utf8').split('\n'), code }));
  // The program may end before it has read everything: its exit shows why.
  child.stdin.on('error', () => undefined);
  child.stdin.end(run.user);
  try {
    const output = await promise;
    signal.throwIfAborted();
    if (limit.aborted) throw new ModelError('timeout', 'The model sent no response in time');
    if (bytes > MAX_OUTPUT_BYTES) throw new ModelError('unavailable', 'The model sent a response that is too long');
    return output;
  } finally {
    ended.removeEventListener('abort', kill);
  }
}
