import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';

/** One run of the program: the lines that it prints, then its end. */
export interface FakeRun {
  readonly lines: readonly object[];
  /** Default 0. */
  readonly code?: number;
  /** It prints its lines and stays. */
  readonly hangs?: boolean;
  /** A signal ends it after its lines. */
  readonly killed?: boolean;
  /** It leaves a process that has its output open: in its group, or in one of its own. */
  readonly leaves?: 'child' | 'daemon';
}

const recordShape = z.object({
  arguments: z.array(z.string()),
  environment: z.record(z.string(), z.string()),
  folder: z.string(),
  files: z.array(z.string()),
  system: z.string(),
  input: z.string(),
  /** Id of the process that it left; null without one. */
  left: z.number().nullable(),
});
export type FakeRecord = z.infer<typeof recordShape>;

export interface FakeClaude {
  /** Path of the program. */
  readonly command: string;
  /** What its runs were given, in order. */
  readonly runs: () => readonly FakeRecord[];
  readonly remove: () => void;
}

const RESULT = {
  type: 'result',
  subtype: 'success',
  is_error: false,
  duration_ms: 4_210,
  num_turns: 2,
  result: '',
  session_id: '6f1c',
  total_cost_usd: 0.0123,
  usage: {
    input_tokens: 12,
    cache_creation_input_tokens: 4_300,
    cache_read_input_tokens: 700,
    output_tokens: 210,
    server_tool_use: { web_search_requests: 0 },
  },
  modelUsage: { 'claude-sonnet-test': { inputTokens: 12, outputTokens: 210, costUSD: 0.0123 } },
  permission_denials: [],
  terminal_reason: 'completed',
  api_error_status: null,
};
const INIT = {
  type: 'system',
  subtype: 'init',
  cwd: '/tmp',
  tools: ['StructuredOutput'],
  model: 'claude-sonnet-test',
  hooks: [],
};

/** Returns the lines of a run with a result, as the program prints them. */
export function resultLines(result: object, ...events: readonly object[]): readonly object[] {
  const assistant = { type: 'assistant', message: { role: 'assistant', content: [{ type: 'text', text: '…' }] } };
  return [INIT, ...events, assistant, { ...RESULT, ...result }];
}

/** Returns the lines of a run whose request the provider rejected: the subtype is `success` all the same. */
export function rejectedLines(status: number | null, result: string, more: object = {}): readonly object[] {
  const free = { total_cost_usd: 0, usage: { input_tokens: 0, output_tokens: 0 }, modelUsage: {} };
  return resultLines({
    ...free,
    is_error: true,
    api_error_status: status,
    result,
    terminal_reason: 'api_error',
    ...more,
  });
}

/** Returns an event about the user's quota. */
export function quotaEvent(utilization: number, resetsAt: number, status = 'allowed_warning'): object {
  return { type: 'rate_limit_event', rate_limit_info: { status, resetsAt, rateLimitType: 'five_hour', utilization } };
}

/** Creates a program that plays the runs in order, and the last one again after them. */
export function createFakeClaude(runs: readonly FakeRun[]): FakeClaude {
  const folder = mkdtempSync(path.join(tmpdir(), 'fake-claude-'));
  const command = path.join(folder, 'claude');
  const log = path.join(folder, 'runs.ndjson');
  writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(
    command,
    `#!${process.execPath}
import { spawn } from 'node:child_process';
import fs from 'node:fs';
const [runs, log] = ${JSON.stringify([runs, log])};
const n = fs.existsSync(log) ? fs.readFileSync(log, 'utf8').split('\\n').length - 1 : 0;
const run = runs[Math.min(n, runs.length - 1)];
const input = fs.readFileSync(0, 'utf8');
const file = process.argv[process.argv.indexOf('--system-prompt-file') + 1];
let left = null;
if (run.leaves !== undefined) {
  const child = spawn('sleep', ['600'], { stdio: ['ignore', 'inherit', 'ignore'], detached: run.leaves === 'daemon' });
  child.unref();
  left = child.pid;
}
fs.appendFileSync(log, JSON.stringify({ left, arguments: process.argv.slice(2), environment: process.env, folder: process.cwd(),
  files: fs.readdirSync('.'), system: fs.readFileSync(file, 'utf8'), input }) + '\\n');
for (const line of run.lines) fs.writeSync(1, JSON.stringify(line) + '\\n');
if (run.killed) process.kill(process.pid, 'SIGKILL');
if (run.hangs) setInterval(() => undefined, 1000); else process.exitCode = run.code ?? 0;
`,
  );
  chmodSync(command, 0o755);
  return {
    command,
    runs: () => {
      const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n') : [];
      return lines.filter((line) => line !== '').map((line) => recordShape.parse(JSON.parse(line)));
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
