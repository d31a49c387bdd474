import { spawn } from 'node:child_process';
import { Agent, createServer, request } from 'node:http';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeHookClient } from '../../infra/build/hook-client.ts';
import { percentile } from './figures.ts';
import { spoolStatus } from '../../hook/spool/status.ts';
import { BUILT_CLIENT } from '../../hook/command-line.ts';

// Cost of a hook for the agent: the complete process with delivery, alternating with an empty Node process and with an HTTP hook, which an agent
// sends over one open connection. Run alone it prints one JSON line.

export interface HookClientFigures {
  readonly pairs: number;
  /** `node -e 0` of the same Node. */
  readonly nodeMs: number;
  /** The command that the installer writes: Node and the built client by their paths. */
  readonly hookMs: number;
  /** The same by `recollect hook`. */
  readonly commandMs: number;
  /** The same event as an HTTP hook. */
  readonly httpMs: number;
  /** Processor time of a process with its start, by the kernel; null where it is not known. */
  readonly nodeCpuMs: number | null;
  readonly hookCpuMs: number | null;
  /** The client without a server: it redacts the event and writes it to the spool. An HTTP hook is lost. */
  readonly spoolMs: number;
  /** Events that the client spooled without a server, of `pairs`. */
  readonly saved: number;
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
  const without = mkdtempSync(path.join(tmpdir(), 'recollect-hook-bench-'));
  writeFileSync(path.join(dataDir, 'credentials.json'), JSON.stringify({ url, api_key: apiKey }), { mode: 0o600 });
  const agent = new Agent({ keepAlive: true });
  const samples: Record<'node' | 'hook' | 'command' | 'http' | 'spool', Sample>[] = [];
  let spooled: number;
  let saved: number;
  try {
    for (let index = -WARM_UP; index < pairs; index += 1) {
      const node = await timed(['-e', '0'], '', dataDir);
      const hook = await timed([BUILT_CLIENT, 'PostToolUse'], hookJson(index), dataDir);
      const command = await timed([COMMAND, 'hook', 'PostToolUse'], hookJson(index), dataDir);
      const http = await timedRequest(`${url}/api/v1/hooks/PostToolUse`, apiKey, hookJson(index), agent);
      const spool = await timed([BUILT_CLIENT, 'PostToolUse'], hookJson(index), without);
      if (index >= 0) samples.push({ node, hook, command, http, spool });
    }
    spooled = spooledEvents(dataDir);
    saved = spoolStatus(without, null).events - WARM_UP;
  } finally {
    agent.destroy();
    for (const folder of [dataDir, without]) rmSync(folder, { recursive: true, force: true });
  }
  const medianOf = (of: (sample: (typeof samples)[number]) => number) => percentile(samples.map(of), 0.5);
  // The kernel counts in hundredths of a second: only the sum of all runs is exact.
  const cpuOf = (name: 'node' | 'hook') =>
    existsSync(OWN_STAT) ? samples.reduce((sum, sample) => sum + sample[name].cpuMs, 0) / samples.length : null;
  return {
    pairs,
    nodeMs: medianOf(({ node }) => node.ms),
    hookMs: medianOf(({ hook }) => hook.ms),
    commandMs: medianOf(({ command }) => command.ms),
    httpMs: medianOf(({ http }) => http.ms),
    nodeCpuMs: cpuOf('node'),
    hookCpuMs: cpuOf('hook'),
    spoolMs: medianOf(({ spool }) => spool.ms),
    hookRatio: medianOf(({ node, hook }) => hook.ms / node.ms),
    commandRatio: medianOf(({ node, command }) => command.ms / node.ms),
    spooled,
    saved,
  };
}

interface Sample {
  readonly ms: number;
  /** Processor time of the ended process. */
  readonly cpuMs: number;
}

const OWN_STAT = '/proc/self/stat';
const TICK_MS = 10;

/** Returns the processor time of all ended children in ms; 0 where the kernel does not show it. */
function childrenCpuMs(): number {
  if (!existsSync(OWN_STAT)) return 0;
  const fields = readFileSync(OWN_STAT, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) * TICK_MS;
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

/** Measures from before a process starts to after it ends. */
function timed(words: readonly string[], input: string, dataDir: string): Promise<Sample> {
  return new Promise((resolve, reject) => {
    const cpuBefore = childrenCpuMs();
    const started = performance.now();
    const child = spawn(process.execPath, words, {
      stdio: ['pipe', 'ignore', 'inherit'],
      env: { HOME: dataDir, RECOLLECT_DATA_DIR: dataDir },
    });
    child.once('error', reject);
    child.once('exit', (code) => {
      const ms = performance.now() - started;
      if (code === 0) resolve({ ms, cpuMs: childrenCpuMs() - cpuBefore });
      else reject(new Error(`a hook ended with ${code}`));
    });
    child.stdin.once('error', () => undefined); // Ended before it was written to.
    child.stdin.end(input);
  });
}

/** Measures an HTTP hook in this process, as an agent sends it. */
function timedRequest(url: string, apiKey: string, body: string, agent: Agent): Promise<Sample> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${apiKey}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const started = performance.now();
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.once('end', () => {
        if (response.statusCode === 200) resolve({ ms: performance.now() - started, cpuMs: 0 });
        else reject(new Error(`a hook was answered with ${response.statusCode}`));
      });
    });
    sent.once('error', reject);
    sent.end(body);
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
