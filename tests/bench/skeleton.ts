import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { awaitSettled, recordedHooks, replayHooks } from '../../cli/demo/demo.ts';
import type { RecordedHook } from '../../cli/demo/demo.ts';
import { readCredentials } from '../../cli/server/access.ts';
import { RecollectClient } from '../../client/index.ts';
import { ServerClient } from '../../cli/server/server-client.ts';
import { prepareDataDirectory } from '../../infra/instance/instance.ts';
import { silentProgress } from '../../infra/supervisor/progress.ts';
import { readState } from '../../infra/supervisor/state.ts';
import { percentile, timings } from './figures.ts';
import { startInstanceProcess } from './instance-process.ts';
import { memoryOf } from './process-tree.ts';
import { say } from './command-line.ts';

// Figures of the walking skeleton on one instance of `recollect up`. Prints one JSON line; progress goes to stderr.

const CAPTURES = 1_000;
const SEARCHES = 200;
const IDLE_MS = 60_000;
const QUESTIONS = [
  'why was the invoice a cent off?',
  'how is money stored',
  'what must be run before a commit?',
  'TALLY_TIME_ZONE',
  'what is the next step for yen',
];

const never = new AbortController().signal;
const step = silentProgress.step('bench');
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Returns the recorded session under another id. */
function renamed(hooks: readonly RecordedHook[], sessionId: string): RecordedHook[] {
  return hooks.map((hook) => ({
    ...hook,
    session_id: sessionId,
    ...(typeof hook['tool_use_id'] === 'string' ? { tool_use_id: `${hook['tool_use_id']}-${sessionId}` } : {}),
  }));
}

/** Returns a session's memory as text that must be identical whatever happened meanwhile. */
async function memoryText(client: ServerClient, sessionId: string): Promise<string> {
  const summaries = await client.summaries(sessionId);
  return JSON.stringify(
    summaries.map((summary) => [summary.type, summary.kind, summary.title, summary.content, summary.files_modified]),
  );
}

function servicePids(dataDir: string): Map<string, number> {
  const nodes = readState(prepareDataDirectory(dataDir).stateFile)?.nodes ?? {};
  return new Map(
    Object.entries(nodes).flatMap(([name, node]) => (node.process ? [[name, node.process.pid] as const] : [])),
  );
}

/**
 * Replays the recorded session twice more, the second time killing the worker during it; returns whether both have the same memory. Both
 * begin with the learnings of the first session: what is known already is left out of summaries.
 */
async function killedWorker(client: ServerClient, dataDir: string) {
  const undisturbedId = randomUUID();
  await replayHooks(client, renamed(recordedHooks(), undisturbedId), never, step);
  await awaitSettled(client, `claude-code:${undisturbedId}`, never, step);
  const undisturbed = await memoryText(client, `claude-code:${undisturbedId}`);
  const sessionId = randomUUID();
  const hooks = renamed(recordedHooks(), sessionId);
  const middle = Math.floor(hooks.length / 2);
  const id = `claude-code:${sessionId}`;
  await replayHooks(client, hooks.slice(0, middle), never, step);
  // Wait until the worker has started on this session.
  while ((await client.session(id)).counts.summaries === 0) await wait(20);
  const worker = servicePids(dataDir).get('worker') ?? 0;
  process.kill(worker, 'SIGKILL');
  const rest = hooks.slice(middle);
  for (const [index, hook] of rest.entries())
    await client.hook(hook.hook_event_name, hook, `demo-${sessionId}-${middle + index}`);
  const session = await awaitSettled(client, id, never, step);
  const first = await client.session(`claude-code:${hooks[0]?.session_id ?? ''}`);
  return {
    worker_replaced: servicePids(dataDir).get('worker') !== worker,
    same_summaries: (await memoryText(client, id)) === undisturbed,
    observations: session.counts.observations,
    prompts: session.counts.prompts,
    learnings_cited: first.counts.learnings,
  };
}

const dataDir = mkdtempSync(path.join(tmpdir(), 'recollect-bench-'));
chmodSync(dataDir, 0o755);
say(`data in ${dataDir}`);
let instance = await startInstanceProcess(dataDir);
const firstUpMs = instance.readyMs;
await instance.stop();
instance = await startInstanceProcess(dataDir);
const upMs = instance.readyMs;
try {
  const credentials = readCredentials(prepareDataDirectory(dataDir).credentialsFile);
  const client = new ServerClient(credentials);
  const hooks = recordedHooks();
  const id = `claude-code:${hooks[0]?.session_id ?? ''}`;

  say('demo session');
  await replayHooks(client, hooks, never, step);
  const replayed = performance.now();
  await awaitSettled(client, id, never, step);
  const settleMs = performance.now() - replayed;

  // Every query is unique: cached query vectors would improve the figure.
  say('searches');
  const recall = new RecollectClient(credentials);
  await recall.search(QUESTIONS[0] ?? '', { limit: 5 });
  const searches = await timings(SEARCHES, (index) =>
    recall.search(`${QUESTIONS[index % QUESTIONS.length] ?? ''} (${index})`, { limit: 5 }),
  );

  say(`memory after ${IDLE_MS / 1_000} s of rest`);
  await wait(IDLE_MS);
  const memory = memoryOf(instance.pid, servicePids(dataDir));

  say('worker killed in the middle of a session');
  const killed = await killedWorker(client, dataDir);

  // Last, because its captures are indexed in the background.
  say('captures by one client');
  const captureSession = randomUUID();
  const output = 'line of a tool output, as they come. '.repeat(24);
  const capture = (index: number) =>
    client.hook(
      'PostToolUse',
      {
        session_id: captureSession,
        cwd: '/src/bench',
        tool_name: 'Bash',
        tool_input: { command: `make step-${index}` },
        tool_response: { stdout: output },
        tool_use_id: `bench-${index}`,
      },
      `bench-${index}`,
    );
  await timings(100, (index) => capture(CAPTURES + index));
  const captures = await timings(CAPTURES, capture);

  process.stdout.write(
    `${JSON.stringify({
      bench: 'skeleton',
      up_first_s: Math.round(firstUpMs / 100) / 10,
      up_existing_data_s: Math.round(upMs / 100) / 10,
      pss_mib: Math.round(memory.reduce((sum, row) => sum + row.pssMib, 0)),
      pss_by_process: Object.fromEntries(memory.map((row) => [row.name, `${row.pssMib} (${row.processes})`])),
      capture_ms: { p50: percentile(captures, 0.5), p99: percentile(captures, 0.99), count: captures.length },
      settle_s: Math.round(settleMs / 100) / 10,
      search_ms: {
        p50: percentile(searches, 0.5),
        p95: percentile(searches, 0.95),
        p99: percentile(searches, 0.99),
        count: searches.length,
      },
      worker_killed: killed,
    })}\n`,
  );
} finally {
  await instance.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
