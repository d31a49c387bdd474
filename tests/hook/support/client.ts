import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { processEnvironment } from '../../../config/process-environment.ts';
import { hookEnvironment } from '../../../hook/environment.ts';
import { drainSpool } from '../../../hook/spool/drain.ts';
import type { DrainReport } from '../../../hook/spool/drain.ts';
import { parseLine } from '../../../hook/spool/line.ts';
import type { SpoolLine } from '../../../hook/spool/line.ts';
import { findTarget } from '../../../hook/target.ts';
import { writeHookClient } from '../../../infra/build/hook-client.ts';
import { BUILT_CLIENT } from '../../../hook/command-line.ts';

export interface ClientRun {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly elapsedMs: number;
}

export interface ClientOptions {
  readonly dataDir: string;
  readonly args?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Another Node than that of the tests. */
  readonly node?: string;
  /** Flags of Node itself. */
  readonly nodeFlags?: readonly string[];
  /** The host never closes the pipe. */
  readonly keepOpen?: boolean;
  /** `none`: the hook is started with nothing at its stdin. `file`: its input is complete from the start. */
  readonly stdin?: 'pipe' | 'file' | 'none';
  readonly cwd?: string;
  readonly onStart?: (child: ChildProcess) => void;
}

/** Builds the client from the current sources; returns its path. */
export function buildClient(): string {
  writeHookClient();
  return BUILT_CLIENT;
}

/** Runs the client as a host does: a process of its own, the hook's JSON at its stdin. */
export function runClient(event: string, input: unknown, options: ClientOptions): Promise<ClientRun> {
  const text = typeof input === 'string' || Buffer.isBuffer(input) ? input : JSON.stringify(input);
  const stdin =
    options.stdin === 'none' ? 'ignore' : options.stdin === 'file' ? openedFile(options.dataDir, text) : 'pipe';
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(
      options.node ?? process.execPath,
      [...(options.nodeFlags ?? []), BUILT_CLIENT, event, ...(options.args ?? [])],
      {
        stdio: [stdin, 'pipe', 'pipe'],
        env: {
          PATH: processEnvironment()['PATH'],
          HOME: options.dataDir,
          RECOLLECT_DATA_DIR: options.dataDir,
          ...options.environment,
        },
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      },
    );
    if (typeof stdin === 'number') closeSync(stdin);
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      child.stdin?.destroy();
      resolve({ code, signal, stdout, stderr, elapsedMs: performance.now() - started });
    });
    child.stdin?.once('error', () => undefined); // The client may end before it has read everything.
    child.stdin?.write(text);
    if (options.keepOpen !== true) child.stdin?.end();
    options.onStart?.(child);
  });
}

/** Writes a file in the data directory and opens it for reading. */
function openedFile(dataDir: string, content: string | Buffer): number {
  const file = path.join(dataDir, `input-${randomUUID()}`);
  writeFileSync(file, content);
  return openSync(file, 'r');
}

/** A data directory of its own, with the key of a server in it. */
export function makeDataDir(server: { readonly url: string; readonly key: string } | null): string {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'recollect-hook-'));
  if (server !== null) pointTo(dataDir, server);
  return dataDir;
}

/** Writes the address and key of an instance to a data directory. */
export function pointTo(dataDir: string, server: { readonly url: string; readonly key: string }): void {
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(path.join(dataDir, 'credentials.json'), JSON.stringify({ url: server.url, api_key: server.key }));
}

export function removeDataDir(dataDir: string): void {
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

/** Names of the spool's data files, claimed and waiting. */
export function spoolNames(dataDir: string): string[] {
  try {
    return readdirSync(path.join(dataDir, 'spool')).filter((name) => /\.(?:ndjson|draining)$/.test(name));
  } catch {
    return [];
  }
}

/** The text of all the spool's files. */
export function spoolText(dataDir: string): string {
  return spoolNames(dataDir)
    .sort((a, b) => Number(a.endsWith('.ndjson')) - Number(b.endsWith('.ndjson')))
    .map((name) => readFileSync(path.join(dataDir, 'spool', name), 'utf8'))
    .join('');
}

/** Returns the complete lines of the spool, in the order of its files. */
export function spoolLines(dataDir: string): SpoolLine[] {
  return spoolText(dataDir)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => parseLine(line));
}

export interface LogEntry {
  readonly event: string;
  readonly what: string;
  readonly detail?: string;
  readonly count?: number;
}

/** Returns the entries of the client's log. */
export function logEntries(dataDir: string): LogEntry[] {
  try {
    return readFileSync(path.join(dataDir, 'logs', 'hook.log'), 'utf8')
      .trim()
      .split('\n')
      .map((line): LogEntry => JSON.parse(line));
  } catch {
    return [];
  }
}

/** Drains the spool, for clients that were too late on a busy machine. */
export async function drainTo(dataDir: string): Promise<DrainReport> {
  const target = findTarget(dataDir, hookEnvironment({}));
  if (target === null) throw new Error('no server configured');
  return drainSpool({ dataDir, target });
}
