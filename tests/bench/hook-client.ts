import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeHookClient } from '../../infra/build/hook-client.ts';
import { percentile } from './figures.ts';
import { BUILT_CLIENT } from '../../hook/command-line.ts';

// Cost of a hook for the agent: the complete process with delivery, alternating with an empty Node process. Run alone it prints one JSON line.

export interface HookClientFigures {
  readonly pairs: number;
  /** `node -e 0` of the same Node. */
  readonly nodeMs: number;
  /** The command that the installer writes: Node and the built client by their paths. */
  readonly hookMs: number;
  /** The same by `recollect hook`. */
  readonly commandMs: number;
  /** Median of the ratios of all pairs. */
  readonly hookRatio: number;
  readonly commandRatio: number;
  /** Events that missed the client's limit and were spooled: many of them invalidate the figures. */
  readonly spooled: number;
}

export interface HookClientBench {
  /** A running api. */
  readonly url: string;
  readonly apiKey: string;
  readonly pairs?: number;
}

const PAIRS = 40;
const WARM_UP = 3;
const COMMAND = path.resolve(import.meta.dirname, '..', '..', 'cli', 'bin.mjs');

/** Alternates `recollect hook PostToolUse` and `node -e 0`; returns the median of their ratios. Rejects if a process fails. */
export async function measureHookClient({ url, apiKey, pairs = PAIRS }: HookClientBench): Promise<HookClientFigures> {
  writeHookClient();
  const dataDir = mkdtempSync(path.join(tmpdir(), 'recollect-hook-bench-'));
  writeFileSync(path.join(dataDir, 'credentials.json'), JSON.stringify({ url, api_key: apiKey }), { mode: 0o600 });
  let spooled = 0;
  const samples: { node: number; hook: number; command: number }[] = [];
  try {
    for (let index = -WARM_UP; index < pairs; index += 1) {
      const node = await timed(['-e', '0'], '', dataDir);
      const hook = await timed([BUILT_CLIENT, 'PostToolUse'], hookJson(index), dataDir);
      const command = await timed([COMMAND, 'hook', 'PostToolUse'], hookJson(index), dataDir);
      if (index >= 0) samples.push({ node, hook, command });
    }
    spooled = spooledEvents(dataDir);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
  const median = (values: readonly number[]) => percentile(values, 0.5);
  return {
    pairs,
    nodeMs: median(samples.map(({ node }) => node)),
    hookMs: median(samples.map(({ hook }) => hook)),
    commandMs: median(samples.map(({ command }) => command)),
    hookRatio: median(samples.map(({ node, hook }) => hook / node)),
    commandRatio: median(samples.map(({ node, command }) => command / node)),
    spooled,
  };
}

/** Counts entries of the client's log, which records failed deliveries only. */
function spooledEvents(dataDir: string): number {
  const log = path.join(dataDir, 'logs', 'hook.log');
  return existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').length : 0;
}

function hookJson(index: number): string {
  return JSON.stringify({
    session_id: 'bench-hook-client',
    cwd: '/srv/bench',
    hook_event_name: 'PostToolUse',
    tool_name: 'Bash',
    tool_input: { command: 'npm test' },
    tool_response: { stdout: `run ${index}\n${'ok '.repeat(300)}` },
  });
}

/** Returns the milliseconds from before a process starts to after it ends. */
function timed(words: readonly string[], input: string, dataDir: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(process.execPath, words, {
      stdio: ['pipe', 'ignore', 'inherit'],
      env: { HOME: dataDir, RECOLLECT_DATA_DIR: dataDir },
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      const elapsedMs = performance.now() - started;
      if (code === 0) resolve(elapsedMs);
      else reject(new Error(`a hook ended with ${code}`));
    });
    child.stdin.once('error', () => undefined); // Ended before it was written to.
    child.stdin.end(input);
  });
}

/** Starts a server that accepts everything at once, to measure the client alone. */
async function serverAlone(): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    request.resume();
    // The client accepts only responses with the API's version.
    request.once('end', () => response.writeHead(200, { 'x-api-version': '1' }).end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

if (import.meta.main) {
  const server = await serverAlone();
  const figures = await measureHookClient({
    url: server.url,
    apiKey: 'rcl_bench',
    pairs: Number(process.argv[2] ?? PAIRS),
  });
  process.stdout.write(`${JSON.stringify(figures)}\n`);
  server.close();
}
