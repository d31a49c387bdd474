import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { searchAnswer } from '../../../contract/search.ts';
import { createApiDependencies } from '../../../api/dependencies.ts';
import type { ApiDependencies } from '../../../api/dependencies.ts';
import { parseConfig } from '../../../config/config.ts';
import { createSearch } from '../../../retrieval/search.ts';
import { createWeaviateIndex } from '../../../stores/weaviate/weaviate-index.ts';
import { createLogger } from '../../../telemetry/logger.ts';
import { writeTinyCrossEncoder } from '../../models/reranking/tiny-cross-encoder.ts';
import type { TestUser } from '../../setup/database.ts';
import { indexed } from '../support/indexed.ts';
import { until } from '../../setup/until.ts';
import { startSilentProxy } from '../../stores/postgres/support/silent-proxy.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { promptEvent } from '../support/events.ts';

const BROKE = 'It broke on Friday evening when nobody looked';
const CHINESE = '证书过期导致网关报错';
const HOLDER = `Of all that was seen on that long day at the harbour, and it was a lot, ${'one thing and the next, '.repeat(25)}the red crane`;
const COLLEAGUES = 'Mine broke as well, on the same Friday';
const HARBOUR = Array.from({ length: 110 }, (_, n) => `harbour ${n}: a crane, red`);
const LAST = 'The disk was full, so the deploy stopped';

// Runs last, after the instance is closed.
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const instance = fileInstance();
let colleague: TestUser;
let stranger: TestUser;
let folder: string;

async function remember(user: TestUser, session: string, contents: readonly string[]): Promise<void> {
  const body = contents.map((content) =>
    promptEvent(session, content, { role: 'user', project: { name: 'tally' }, infer: false }),
  );
  const answer = await instance.post('/events/batch', body, user.key);
  expect(answer.body).toMatchObject({ accepted: contents.length });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'recollect-retrievers-'));
  await instance.startWorker();
  colleague = await instance.user();
  stranger = await instance.stranger();
  await remember(instance.admin, 'old', [BROKE, CHINESE, HOLDER]);
  await remember(instance.admin, 'harbour', HARBOUR);
  await remember(colleague, 'colleague', [COLLEAGUES]);
  await remember(instance.admin, 'new', [LAST]);
  await indexed(instance);
});

async function search(user: TestUser, q: string, more: Record<string, string> = {}) {
  const query = new URLSearchParams({ q, explain: 'true', ...more }).toString();
  return searchAnswer.parse((await instance.get(`/search?${query}`, user.key)).body);
}

/** Returns the newest memories that a user's search found, by rank. */
async function newest(user: TestUser, q: string): Promise<string[]> {
  const { data } = await search(user, q);
  return data.flatMap(({ content, explain }) => {
    const explained = z.object({ rank: z.number() }).safeParse(explain?.['recency']);
    return explained.success ? [`${explained.data.rank}. ${content}`] : [];
  });
}

describe('the retriever beside keyword and vector', () => {
  test('the newest is the newest that the asker may see', async () => {
    const query = 'what was the last thing we did?';
    expect((await newest(instance.admin, query))[0]).toBe(`1. ${LAST}`);
    expect(await newest(colleague, query)).toEqual([`1. ${COLLEAGUES}`]);
    expect(await newest(stranger, query)).toEqual([]);
  });
});

describe('a second user', () => {
  test.each([
    ['a phrase', '"disk was full"', {}],
    ['a time', 'disk full', { as_of: '2999-01-01T00:00:00Z' }],
    ['plain words', 'why did the deploy stop', {}],
  ])('sees only his own rows: %s', async (_what, q, more: Record<string, string>) => {
    expect((await search(instance.admin, q, more)).data.map(({ content }) => content)).toContain(LAST);
    const { data, facets } = await search(colleague, q, more);
    expect(data.map(({ content }) => content).filter((content) => content !== COLLEAGUES)).toEqual([]);
    expect(facets.type['prompt'] ?? 0).toBe(data.length);
    expect(await search(stranger, q, more)).toMatchObject({ data: [], facets: { type: {} } });
  });
});

test('a phrase is looked for beyond the best hundred', async () => {
  const { data } = await search(instance.admin, 'harbour "red crane"');
  expect(data.map(({ content }) => content)).toEqual([HOLDER]);
});

/** The api's parts with other settings, on the same stores. */
async function apart<Result>(
  settings: Readonly<Record<string, string>>,
  work: (parts: ApiDependencies) => Promise<Result>,
): Promise<Result> {
  const parts = createApiDependencies(
    parseConfig({ ...instance.environment, ...settings }),
    createLogger('test', 'error'),
  );
  try {
    return await work(parts);
  } finally {
    await parts.close();
  }
}

const queryFor = (query: string) => ({
  tenantId: instance.admin.tenantId,
  bounds: null,
  query,
  filter: {},
  limit: 5,
  offset: 0,
  minScore: 0,
  groupBySession: false,
  now: new Date(),
});

test("without the embedding model the index's words answer", async () => {
  const { found: first, degraded } = await apart({ RECOLLECT_EMBEDDING_MODEL_DIR: folder }, ({ recall }) =>
    recall.search(queryFor('网关为什么报错')),
  );
  expect(first[0]?.memory.content).toBe(CHINESE);
  expect(degraded).toEqual(['vector']);
});

test('a cross-encoder rereads words and leaves a vector alone', async () => {
  await writeTinyCrossEncoder(folder);
  const settings = { RECOLLECT_RERANKER_DIR: folder, RECOLLECT_RERANK_TIMEOUT_MS: '5000' };
  await apart(settings, async ({ recall }) => {
    // On a busy machine the model may be loaded too late for the first query.
    const words = await until(async () => {
      const found = await recall.search({ ...queryFor('harbour'), includeVectors: true });
      return found.degraded.includes('rerank') ? undefined : found;
    });
    expect(words.found[0]?.stages.rerank).toMatchObject({ rank: expect.any(Number) });
    const vector = Float32Array.from(words.found[0]?.vector ?? []);
    const near = await recall.search({ ...queryFor(''), vectorOnly: true, vector });
    expect(near.found[0]).toMatchObject({ memoryId: words.found[0]?.memoryId, stages: { rerank: null } });
    expect(near.degraded).toEqual([]);
  });
});

test('late vectors are reported, and not waited for', async () => {
  const { config } = instance;
  const proxy = await startSilentProxy(`http://127.0.0.1:${config.weaviate.grpcPort}`);
  const vectors = createWeaviateIndex({ ...config.weaviate, grpcPort: Number(new URL(proxy.url).port) });
  try {
    await apart({}, async (parts) => {
      const { tenantId } = instance.admin;
      const { name } = await parts.indexOf(tenantId);
      const client = { isSilent: false, hasGivenUp: false };
      const giveUp = () => {
        client.hasGivenUp = true;
      };
      const ask = createSearch({
        database: parts.database,
        vectors,
        indexOf: parts.indexOf,
        reranker: null,
        settings: { ...config.search, retrieverTimeoutMs: 4_000 },
        onStage: (stage) => {
          if (!client.isSilent || stage !== 'read') return;
          proxy.fallSilent();
          // A request of Weaviate's client, just before that of the search.
          vectors.vectorsOf(tenantId, name, [randomUUID()]).then(giveUp, giveUp);
        },
      });
      const query = { ...queryFor('harbour'), includeVectors: true };
      expect(await until(async () => (await ask(query)).found[0]?.vector ?? undefined)).toHaveLength(384);
      client.isSilent = true;
      const late = await ask(query);
      // Weaviate's client waits for ten seconds.
      expect(client.hasGivenUp).toBe(false);
      expect(late.degraded).toEqual(['vector']);
      expect(late.found.map(({ vector }) => vector)).toEqual(Array(5).fill(null));
    });
  } finally {
    await vectors.close();
    await proxy.close();
  }
});

// The last one: the data that it removes does not return.
test('an index that lost its data is reported, and PostgreSQL responds', async () => {
  const rows = await instance.rows<{ model: string; ids: string[] }>(
    'SELECT model, array_agg(DISTINCT resource_id::text) AS ids FROM embeddings WHERE tenant_id = $1 GROUP BY model',
    [instance.admin.tenantId],
  );
  const index = createWeaviateIndex(instance.config.weaviate);
  for (const { model, ids } of rows) await index.remove(instance.admin.tenantId, model, ids);
  await index.close();
  const answer = await search(instance.admin, 'why was the disk full');
  expect(answer.data.map(({ content }) => content)).toContain(LAST);
  expect(answer.degraded).toEqual(['vector']);
  // Nothing is missing without a ledger entry.
  expect(await search(instance.admin, 'zeppelin')).toMatchObject({ data: [], degraded: [] });
});
