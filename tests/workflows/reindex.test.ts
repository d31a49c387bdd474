import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createApiDependencies } from '../../api/dependencies.ts';
import { createServer } from '../../api/server.ts';
import { parseConfig } from '../../config/config.ts';
import { indexNameOf } from '../../domain/index-model.ts';
import { createWeaviateIndex } from '../../stores/weaviate/weaviate-index.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { startEmbeddingsServer } from '../models/embedding/embeddings-server.ts';
import type { EmbeddingsServer } from '../models/embedding/embeddings-server.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { until } from '../setup/until.ts';
import { startWorkerProcess } from '../setup/worker-process.ts';
import type { ServiceProcess } from '../setup/worker-process.ts';

/** The instance with the settings as they were, and an api and a worker with those that name another model. */
let instance: TestInstance;
let provider: EmbeddingsServer;
let changed: Awaited<ReturnType<typeof startChangedApi>>;
let worker: ServiceProcess;
let environment: Record<string, string>;

const NOTES = 48;
const ONE = indexNameOf('one-32d');
const TWO = indexNameOf('two-32d');
const UNAVAILABLE = { kind: 'status', status: 503, headers: { 'retry-after-ms': '100' } } as const;

async function startChangedApi() {
  const dependencies = createApiDependencies(parseConfig(environment), createLogger('test', 'error'));
  const server = await createServer({ dependencies, logger: createLogger('test', 'error'), isStopping: () => false });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  return {
    async call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
      const response = await fetch(`${url}/api/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${instance.admin.key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: await response.json() };
    },
    async close() {
      await server.close();
      await dependencies.close();
    },
  };
}

beforeAll(async () => {
  provider = await startEmbeddingsServer();
  instance = await startTestInstance({
    RECOLLECT_EMBEDDING_PROVIDER: 'http',
    RECOLLECT_EMBEDDING_URL: provider.url,
    RECOLLECT_EMBEDDING_API_KEY: 'embedding-key',
    RECOLLECT_EMBEDDING_MODEL: 'one',
    RECOLLECT_EMBEDDING_DIMENSION: '32',
    RECOLLECT_EMBEDDING_BATCH_TEXTS: '8',
  });
  environment = {
    ...instance.environment,
    RECOLLECT_HTTP_PORT: '37700',
    RECOLLECT_EMBEDDING_MODEL: 'two',
    RECOLLECT_EMBEDDING_PREVIOUS: 'one:32',
    RECOLLECT_REINDEX_GRACE_MS: '10000',
  };
  changed = await startChangedApi();
});
afterAll(async () => {
  await worker?.stop();
  await changed.close();
  await instance.close();
  await provider.close();
});

async function note(session: string, texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    const event = { host: 'test', session_id: session, infer: false, project: { name: 'reindexed' } };
    await instance.call('POST', '/events', { body: { ...event, type: 'observation', text } });
  }
}

async function ledger(): Promise<Record<string, number>> {
  const rows = await instance.rows<{ name: string; n: number }>(
    "SELECT model || ' ' || state AS name, count(*)::integer AS n FROM embeddings WHERE tenant_id = $1 GROUP BY 1",
    [instance.admin.tenantId],
  );
  return Object.fromEntries(rows.map(({ name, n }) => [name, n]));
}

const found = z.object({ data: z.array(z.object({ content: z.string() })), degraded: z.array(z.string()) });
const indexes = z.object({
  needed: z.boolean(),
  serving: z.object({ index: z.string(), indexed: z.number(), rewriting: z.boolean() }),
  building: z
    .object({ index: z.string(), waiting: z.number(), indexed: z.number(), waiting_reason: z.string().nullable() })
    .nullable(),
  retired: z.object({ index: z.string() }).nullable(),
});

const change = async () => indexes.parse((await changed.call('GET', '/admin/reindex')).body);
const search = (words: string) => changed.call('GET', `/search?q=${encodeURIComponent(words)}&limit=3`);

test(
  'a change of the model survives a kill, no search fails meanwhile, and the old index goes',
  { timeout: 480_000 },
  async () => {
    const stop = await instance.startWorker('before');
    await note(
      'old',
      Array.from({ length: NOTES }, (_, n) => `note${n} ${`word${n} filler words `.repeat(45)}`),
    );
    await until(async () => ((await ledger())[`${ONE} indexed`] === NOTES ? true : undefined));
    await stop();

    expect(await change()).toMatchObject({
      needed: true,
      serving: { index: ONE, indexed: NOTES },
      building: null,
    });
    expect((await changed.call('POST', '/admin/reindex', { dry_run: true })).status).toBe(202);
    // The new model responds to a few requests, then to none.
    provider.down(UNAVAILABLE, { model: 'two', after: 6 });
    worker = await startWorkerProcess(environment);
    const failures: unknown[] = [];
    let searches = 0;
    let searching = true;
    const searched = (async () => {
      while (searching) {
        const answer = await search(`word${searches % NOTES}`);
        const parsed = found.safeParse(answer.body);
        if (
          answer.status !== 200 ||
          !parsed.success ||
          parsed.data.degraded.length > 0 ||
          parsed.data.data.length === 0
        )
          failures.push(answer);
        searches += 1;
      }
    })();

    try {
      expect((await changed.call('POST', '/admin/reindex', {})).status).toBe(202);
      const waiting = await until(async () => {
        const { building } = await change();
        return building !== null && building.indexed > 0 && building.waiting_reason !== null ? building : undefined;
      });
      expect(waiting).toMatchObject({ index: TWO, waiting_reason: 'EmbedderUnavailable' });
      expect(waiting.waiting).toBeGreaterThan(0);
      // New captures are requested in both indexes and found at once in the served one.
      await note('new', ['a heron waded in the shallow water']);
      await until(async () => ((await ledger())[`${ONE} indexed`] === NOTES + 1 ? true : undefined));
      expect((await change()).serving.index).toBe(ONE);
      await changed.call('POST', '/admin/reindex', {});
      const job = await until(async () => {
        const { body } = await changed.call('GET', '/jobs/reindex.0');
        const { job } = z
          .object({
            job: z.object({
              state: z.string(),
              phase: z.string().nullable(),
              waiting_reason: z.string().nullable(),
              pending: z.object({ embed: z.number() }),
            }),
          })
          .parse(body);
        return job.waiting_reason === null ? undefined : job;
      });
      expect(job).toMatchObject({ state: 'waiting', phase: 'embedding', waiting_reason: 'EmbedderUnavailable' });
      expect(job.pending.embed).toBeGreaterThan(0);

      await worker.kill();
      provider.down(null);
      worker = await startWorkerProcess(environment);
      await until(async () => {
        await changed.call('POST', '/admin/reindex', {});
        return (await change()).serving.index === TWO ? true : undefined;
      });
      await until(async () => ((await change()).retired === null ? true : undefined));
    } finally {
      searching = false;
      await searched;
    }
    expect(failures).toEqual([]);
    expect(searches).toBeGreaterThan(5);
    expect(await ledger()).toEqual({ [`${TWO} indexed`]: NOTES + 1 });
    const rows = await instance.rows('SELECT DISTINCT model FROM embedding_cache');
    expect(rows).toEqual([{ model: 'two-32d' }]);
    const heron = found.parse((await search('heron in shallow water')).body);
    expect(heron.data[0]?.content).toContain('heron');
    const index = createWeaviateIndex(instance.config.weaviate);
    const vector = new Float32Array(32).fill(1);
    expect(await index.nearest(instance.admin.tenantId, ONE, vector, {}, 5)).toEqual([]);
    expect((await index.nearest(instance.admin.tenantId, TWO, vector, {}, 5)).length).toBe(5);
    expect(await change()).toMatchObject({ needed: false, building: null, retired: null });

    // Weaviate loses all of it: the cache has the vectors, so no model is called.
    const before = provider.requests.length;
    await index.drop(instance.admin.tenantId, TWO);
    const started = indexes.parse((await changed.call('POST', '/admin/reindex', { rebuild: true })).body);
    expect(started.serving.rewriting).toBe(true);
    await until(async () => ((await change()).serving.rewriting ? undefined : true));
    await until(async () => ((await ledger())[`${TWO} indexed`] === NOTES + 1 ? true : undefined));
    await until(async () => {
      const hits = await index.nearest(instance.admin.tenantId, TWO, vector, {}, 100);
      return hits.length === NOTES + 1 ? true : undefined;
    });
    const texts = provider.requests.slice(before).flatMap(({ input }) => input);
    expect(texts.filter((text) => text.startsWith('note'))).toEqual([]);
    await index.close();
  },
);

test(
  'while a provider is unavailable search has no vectors; indexing waits and catches up',
  { timeout: 240_000 },
  async () => {
    provider.down(UNAVAILABLE);
    await note('down', ['a kingfisher waited above the weir']);
    const degraded = await until(async () => {
      const answer = found.parse((await search('kingfisher')).body);
      return answer.data.length > 0 ? answer : undefined;
    });
    expect(degraded.degraded).toEqual(['vector']);
    // It is found when captured, maybe before a step requested its vector.
    await until(async () => ((await ledger())[`${TWO} pending`] === 1 ? true : undefined));
    await until(async () => {
      const { body } = await changed.call('GET', '/jobs/index.0');
      return JSON.stringify(body).includes('EmbedderUnavailable') ? true : undefined;
    });
    provider.down(null);
    await until(async () => ((await ledger())[`${TWO} indexed`] === NOTES + 2 ? true : undefined));
    await until(async () => {
      const answer = found.parse((await search('kingfisher')).body);
      return answer.degraded.length === 0 && answer.data[0]?.content.includes('kingfisher') === true ? true : undefined;
    });
  },
);

test(
  'no part of a row above the class of the provider is sent to it, nor as the purpose of others',
  { timeout: 240_000 },
  async () => {
    const before = provider.requests.length;
    const send = (event: object) =>
      changed.call('POST', '/events', { host: 'test', session_id: 'card', project: { name: 'reindexed' }, ...event });
    const lines = Array.from({ length: 100 }, (_, n) => `Line ${n}: the ostrich and its treatment, in private words.`);
    await send({ type: 'prompt', content: [...lines, 'Paid with 4111 1111 1111 1111.'].join('\n') });
    await send({ type: 'observation', text: 'a pelican crossed the harbour' });
    await send({ type: 'prompt', content: 'Count the pelicans' });
    await changed.call('POST', '/sessions/test%3Acard/close', {});
    await until(async () => {
      const { body } = await changed.call('GET', '/sessions/test%3Acard');
      return z.object({ phase: z.string().nullable() }).parse(body).phase === 'settled' ? true : undefined;
    });
    await until(async () => ((await ledger())[`${TWO} pending`] === undefined ? true : undefined));
    expect((await ledger())[`${TWO} withheld`]).toBeGreaterThan(1);
    const texts = provider.requests.slice(before).flatMap(({ input }) => input);
    expect(texts).toContain('a pelican crossed the harbour');
    expect(texts.filter((text) => text.includes('ostrich'))).toEqual([]);
  },
);
