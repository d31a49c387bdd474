import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { chunkText } from '../../domain/chunking.ts';
import { startBenchInstance } from './capture/bench-instance.ts';
import type { BenchInstance } from './capture/bench-instance.ts';
import { historiesOf } from './capture/histories.ts';
import { send, workflowIds } from './capture/sessions.ts';
import { option, say } from './command-line.ts';
import { bareRate } from './imports/bare-rate.ts';
import { startLiveSession } from './imports/live-session.ts';
import { settleRecorded } from './imports/recorded.ts';
import { SERVICES } from './capture/cpu.ts';
import { memoryOf } from './process-tree.ts';
import { textsFrom } from './imports/texts.ts';
import { usageOf, usagePerSession } from './imports/usage.ts';
import type { Usage } from './imports/usage.ts';

// Imports of N sessions of ten prompts without inference, ended at once: seconds until all are indexed, beside the embedding model alone. Prints one JSON line;
// progress goes to stderr. `--sessions 100,400` sets the sizes (none: `0`); with `--live` a session that began before each import
// ends during it; with `--recorded` the shared coding sessions are replayed, too.

const PROMPTS = 10;
const BARE_PROMPTS = 150;
const CLIENTS = 4;
/** The work of a start ends before rest is measured, over a minute: the runs of schedules are a part of it. */
const STARTED_MS = 15_000;
const REST_MS = 60_000;
/** The worker frees its model after half a minute without work. */
const SETTLED_MS = 90_000;
const POLL_MS = 500;
const LIMIT_MS = 3_600_000;
/** Days ago that the imported prompts are from. */
const AGE_MS = 90 * 86_400_000;

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const rounded = (value: number) => Math.round(value * 100) / 100;
const nameOf = (prefix: string, n: number) => `${prefix}${String(n).padStart(5, '0')}`;

/** Captures sessions with a few clients, each session in one batch. */
async function capture(instance: BenchInstance, prefix: string, prompts: readonly string[]): Promise<void> {
  const sessions = prompts.length / PROMPTS;
  let next = 0;
  const client = async (): Promise<void> => {
    for (let n = next++; n < sessions; n = next++) {
      const common = { host: 'bench', session_id: nameOf(prefix, n), infer: false, project: { path: '/src/imports' } };
      const occurredAt = (row: number) => new Date(Date.now() - AGE_MS + n * 60_000 + row * 1_000).toISOString();
      await send(instance, [
        ...prompts.slice(n * PROMPTS, (n + 1) * PROMPTS).map((content, row) => ({
          ...common,
          type: 'prompt',
          content,
          occurred_at: occurredAt(row),
        })),
        { ...common, type: 'session.ended', occurred_at: occurredAt(PROMPTS) },
      ]);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

const progressRow = z.object({ ended: z.number(), waiting: z.number() });

/** Waits until all sessions of a name are ended and have all their vectors; returns the number of chunks. Its queries read what waits alone, as they count as work of PostgreSQL. */
async function allIndexed(instance: BenchInstance, prefix: string, sessions: number): Promise<number> {
  const started = performance.now();
  let shownAt = started;
  for (;;) {
    const { rows } = await instance.database.query(
      `SELECT (SELECT count(*) FROM sessions WHERE host = 'bench' AND external_id LIKE $1 AND status = 'ended' AND phase = 'settled')::integer AS ended,
              (SELECT count(*) FROM embeddings WHERE state = 'pending')::integer AS waiting`,
      [`${prefix}%`],
    );
    const [row] = z.array(progressRow).parse(rows);
    if (row !== undefined && row.ended === sessions && row.waiting === 0) break;
    const now = performance.now();
    if (now - started > LIMIT_MS) throw new Error(`after ${LIMIT_MS / 1_000} s: ${JSON.stringify(row)}`);
    if (now - shownAt > 10_000) {
      shownAt = now;
      say(`${Math.round((now - started) / 1_000)} s: ${JSON.stringify(row)}`);
    }
    await wait(POLL_MS);
  }
  const { rows } = await instance.database.query<{ chunks: number; indexed: number }>(
    `SELECT count(*)::integer AS chunks, count(*) FILTER (WHERE state = 'indexed')::integer AS indexed
       FROM embeddings WHERE session_id IN (SELECT id FROM sessions WHERE host = 'bench' AND external_id LIKE $1)`,
    [`${prefix}%`],
  );
  const { chunks = 0, indexed = 0 } = rows[0] ?? {};
  if (indexed < chunks) throw new Error(`${chunks - indexed} of ${chunks} chunks were rejected`);
  return chunks;
}

async function importOf(instance: BenchInstance, sessions: number, rest: readonly [Usage, Usage], live: number | null) {
  const prefix = `import-${sessions}-`;
  const text = textsFrom(sessions);
  const threads = availableParallelism();
  const prompts = Array.from({ length: sessions * PROMPTS }, text);
  const sample = Array.from({ length: BARE_PROMPTS }, text).flatMap((prompt) =>
    chunkText('', prompt).map((chunk) => chunk.text),
  );
  const barely = [await bareRate(sample, threads)];
  const session = live === null ? null : await startLiveSession(instance, live);
  const before = await usageOf(instance);
  await capture(instance, prefix, prompts);
  const capturedMs = performance.now() - before.atMs;
  say(`${sessions} sessions captured in ${Math.round(capturedMs)} ms`);
  const ended = (await session?.end()) ?? null;
  const chunks = await allIndexed(instance, prefix, sessions);
  const after = await usageOf(instance);
  barely.push(await bareRate(sample, threads));
  const seconds = (after.atMs - before.atMs) / 1_000;
  const bareMs = barely.reduce((sum, bare) => sum + 1_000 / bare.chunksPerSecond, 0) / barely.length;
  const bareCpuMs = barely.reduce((sum, bare) => sum + bare.cpuMs, 0) / barely.length;
  const { runs, tasks, longest, events } = await historiesOf(instance, await workflowIds(instance, prefix));
  const usage = usagePerSession(rest, [before, after], sessions);
  const cpuBeside = (services: readonly string[]) =>
    rounded((services.reduce((sum, name) => sum + (usage.cpu_ms[name] ?? 0), 0) * sessions) / chunks / bareCpuMs);
  return {
    sessions,
    chunks,
    captured_s: rounded(capturedMs / 1_000),
    indexed_s: rounded(seconds),
    chunks_per_s: rounded(chunks / seconds),
    bare_chunks_per_s: barely.map((bare) => rounded(bare.chunksPerSecond)),
    time_beside_bare: rounded((seconds * 1_000) / chunks / bareMs),
    worker_cpu_beside_bare: cpuBeside(['worker']),
    cpu_beside_bare: cpuBeside(SERVICES),
    history_events_per_session: rounded(events / sessions),
    workflow_tasks_per_session: rounded(tasks / sessions),
    runs,
    longest_history: longest,
    cpu_ms_per_session: usage.cpu_ms,
    cpu_ms_at_rest_per_s: usage.cpu_ms_at_rest_per_s,
    transactions_per_session: usage.transactions,
    ...(ended === null ? {} : { ended_meanwhile: ended }),
  };
}

const sizes = (option('sessions') ?? '100,400')
  .split(',')
  .map(Number)
  .filter((size) => size > 0);
const isLive = process.argv.includes('--live');
const instance = await startBenchInstance();
try {
  await wait(STARTED_MS);
  const atRest = await usageOf(instance);
  await wait(REST_MS);
  const rest = [atRest, await usageOf(instance)] as const;
  const imports: object[] = [];
  for (const size of sizes) {
    say(`import of ${size} sessions`);
    const figures = await importOf(instance, size, rest, isLive ? imports.length : null);
    say(JSON.stringify(figures));
    imports.push(figures);
  }
  const recorded = process.argv.includes('--recorded') ? { recorded: await settleRecorded(instance, rest) } : {};
  say(`memory after ${SETTLED_MS / 1_000} s of rest`);
  await wait(SETTLED_MS);
  const memory = memoryOf(instance.supervisor, new Map(SERVICES.map((name) => [name, instance.pid(name)])));
  const pss = {
    total: Math.round(memory.reduce((sum, row) => sum + row.pssMib, 0)),
    by_process: Object.fromEntries(memory.map((row) => [row.name, row.pssMib])),
  };
  process.stdout.write(`${JSON.stringify({ bench: 'imports', imports, ...recorded, pss_mib_at_rest: pss })}\n`);
} finally {
  await instance.stop();
}
