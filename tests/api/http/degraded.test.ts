import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { searchAnswer } from '../../../contract/search.ts';
import { demoHooks, replay } from '../../setup/demo-session.ts';
import { startTestInstance } from '../../setup/instance.ts';
import type { ApiAnswer, TestInstance } from '../../setup/instance.ts';
import { until } from '../../setup/until.ts';
import { closedPort } from '../support/closed-port.ts';
import { consumed } from '../support/indexed.ts';

/** The longest that may be set. */
const RETRIEVER_TIMEOUT_MS = 30_000;
/** Limit of a response while a dependency is unavailable: a busy machine takes its time, but no request waits for the limit of a retriever. */
const BOUND_MS = 25_000;
let instance: TestInstance | undefined;
let emptyFolder: string;

beforeAll(() => {
  emptyFolder = mkdtempSync(join(tmpdir(), 'recollect-no-model-'));
});
afterEach(async () => {
  await instance?.close();
  instance = undefined;
});
afterAll(() => rmSync(emptyFolder, { recursive: true, force: true }));

/** The answer and how long it took. */
async function timed(work: () => Promise<ApiAnswer>): Promise<{ answer: ApiAnswer; ms: number }> {
  const started = performance.now();
  const answer = await work();
  return { answer, ms: performance.now() - started };
}

const UNAVAILABLE: [string, () => Promise<Record<string, string>>, object][] = [
  [
    'Weaviate',
    async () => ({
      RECOLLECT_WEAVIATE_URL: `http://127.0.0.1:${await closedPort()}`,
      RECOLLECT_WEAVIATE_GRPC_PORT: String(await closedPort()),
    }),
    { weaviate: { status: 'unavailable' }, embedder: { status: 'ok' } },
  ],
  [
    'the embedding model',
    () => Promise.resolve({ RECOLLECT_EMBEDDING_MODEL_DIR: emptyFolder }),
    { weaviate: { status: 'ok' }, embedder: { status: 'unavailable' } },
  ],
];

describe.each(UNAVAILABLE)('with %s unavailable', (_what, overrides, dependencies) => {
  test('search and context respond by keyword, report it, and are quick; health lists what is missing', async () => {
    instance = await startTestInstance({
      ...(await overrides()),
      RECOLLECT_SEARCH_RETRIEVER_TIMEOUT_MS: String(RETRIEVER_TIMEOUT_MS),
    });
    const running = instance;
    const stopWorker = await running.startWorker();
    await replay(running, demoHooks());
    await consumed(running);
    // It shares this process with the api here: its summaries would be a part of the times.
    await stopWorker();
    const project = encodeURIComponent('/src/tally');

    const first = await timed(() => running.get(`/search?q=invoice&project=${project}&type=observation,prompt`));
    expect(first.answer.status).toBe(200);
    const found = searchAnswer.parse(first.answer.body);
    expect(found.degraded).toEqual(['vector']);
    expect(found.data.length).toBeGreaterThan(0);
    expect(found.data.every((memory) => /invoice/i.test(JSON.stringify(memory)))).toBe(true);
    expect(first.ms).toBeLessThan(BOUND_MS);

    const nothing = await timed(() => running.get('/search?q=zeppelin'));
    expect(nothing.answer.body).toMatchObject({ data: [], degraded: ['vector'] });
    expect(nothing.ms).toBeLessThan(BOUND_MS);

    for (const body of [
      { purpose: 'prompt', prompt: 'How is an invoice rounded?' },
      { purpose: 'session_start', project: '/src/tally' },
      { purpose: 'file', file: '/src/tally/invoice.ts' },
    ]) {
      const context = await timed(() => running.post('/context', body));
      expect(context.answer.status).toBe(200);
      expect(context.ms).toBeLessThan(BOUND_MS);
    }
    const start = await timed(() => running.post('/hooks/SessionStart', { session_id: 'next', cwd: '/src/tally' }));
    expect(start.answer.status).toBe(200);
    expect(start.ms).toBeLessThan(BOUND_MS);

    await expect
      .poll(() => running.get('/health', null))
      .toMatchObject({ status: 200, body: { status: 'degraded', dependencies } });
    await expect.poll(() => running.get('/health/ready', null)).toMatchObject({ status: 200 });
    expect(String((await running.get('/metrics')).body)).toMatch(/recollect_searches_total\{degraded="vector"\} 2/);
  }, 240_000);
});

describe('with Temporal unavailable', () => {
  test('captures are stored and acknowledged at once, without waiting for a hint', async () => {
    instance = await startTestInstance({
      RECOLLECT_TEMPORAL_ADDRESS: `127.0.0.1:${await closedPort()}`,
      RECOLLECT_SHUTDOWN_GRACE_MS: '200',
    });
    const running = instance;
    const hooks = demoHooks();
    const { ms } = await timed(async () => {
      await replay(running, hooks);
      return running.post('/events', { type: 'prompt', session_id: 'unhinted', content: 'hello' });
    });
    // A hint is given up after five seconds only.
    expect(ms / hooks.length).toBeLessThan(2_500);
    expect(await running.value("SELECT last_seq AS value FROM sessions WHERE external_id = 'unhinted'")).toBe(1);
    expect(
      await running.value(
        "SELECT last_seq > 50 AND consumed_seq = 0 AS value FROM sessions WHERE host = 'claude-code'",
      ),
    ).toBe(true);
    const failed = await until(
      async () => /recollect_hints_failed_total ([1-9]\d*)/.exec(String((await running.get('/metrics')).body))?.[1],
      120_000,
      'a hint being given up',
    );
    expect(Number(failed)).toBeGreaterThan(0);
    await expect
      .poll(() => running.get('/health', null))
      .toMatchObject({
        status: 200,
        body: { status: 'degraded', dependencies: { postgres: { status: 'ok' }, temporal: { status: 'unavailable' } } },
      });
    await expect.poll(() => running.get('/health/ready', null)).toMatchObject({ status: 200 });
  }, 240_000);
});
