import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { searchAnswer } from '../../../contract/search.ts';
import { createApiDependencies } from '../../../api/dependencies.ts';
import type { ApiDependencies } from '../../../api/dependencies.ts';
import { parseConfig } from '../../../config/config.ts';
import { newId } from '../../../domain/ids.ts';
import { VALUE_FILTERS } from '../../../domain/search-names.ts';
import { createSearch } from '../../../retrieval/search.ts';
import { createWeaviateIndex } from '../../../stores/weaviate/weaviate-index.ts';
import { createLogger } from '../../../telemetry/logger.ts';
import { writeTinyCrossEncoder } from '../../models/reranking/tiny-cross-encoder.ts';
import type { TestUser } from '../../setup/database.ts';
import { indexed } from '../support/indexed.ts';
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

/** Mentions of an entity by prompts. */
async function mention(entity: string, contents: readonly string[]): Promise<void> {
  await instance.rows(
    `INSERT INTO entity_mentions (entity_id, session_id, source_id, source_type, tenant_id, occurred_at)
     SELECT $1, session_id, id, 'prompt', tenant_id, occurred_at FROM prompts WHERE tenant_id = $2 AND content = ANY ($3)`,
    [entity, instance.admin.tenantId, contents],
  );
}

/** A mention of each prompt beside an error that a file is linked with. */
async function link(contents: readonly string[]): Promise<void> {
  const [file, error, relation] = [newId(), newId(), newId()];
  const { tenantId } = instance.admin;
  for (const [id, type, name] of [
    [file, 'file', 'src/tally/cents.ts'],
    [error, 'error', 'rangeerror'],
  ])
    await instance.rows(
      `INSERT INTO entities (id, tenant_id, project_id, type, name, label, weight, first_seen, last_seen)
       SELECT $1, $2, project_id, $3, $4, $4, 1, now(), now() FROM sessions WHERE tenant_id = $2 LIMIT 1`,
      [id, tenantId, type, name],
    );
  await instance.rows(
    "INSERT INTO relations (id, tenant_id, from_id, to_id, type, weight, first_seen, last_seen) VALUES ($1, $2, $3, $4, 'causes', 1, now(), now())",
    [relation, tenantId, file, error],
  );
  await mention(error, contents);
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
  await link([BROKE, COLLEAGUES]);
  await indexed(instance);
}, 120_000);

async function search(user: TestUser, q: string, more: Record<string, string> = {}) {
  const query = new URLSearchParams({ q, explain: 'true', ...more }).toString();
  return searchAnswer.parse((await instance.get(`/search?${query}`, user.key)).body);
}

/** Returns what a retriever found for a user, by rank. */
async function found(user: TestUser, retriever: 'graph' | 'recency', q: string): Promise<string[]> {
  const { data } = await search(user, q);
  return data.flatMap(({ content, explain }) => {
    const explained = z.object({ rank: z.number() }).safeParse(explain?.[retriever]);
    return explained.success ? [`${explained.data.rank}. ${content}`] : [];
  });
}

const relative = z.object({ relative: z.number() }).nullish();
const retrievers = z.object({
  keyword: relative,
  vector: relative,
  graph: relative,
  parts: z.object({ retrievers: z.number() }),
});

/** What the graph's best weighs beside words and meaning, whose weights sum to one: solved from the fused score of one of its best. */
async function weightOfGraph(q: string): Promise<number> {
  const { data } = await search(instance.admin, q, { limit: '50' });
  const explained = data
    .map(({ explain }) => retrievers.parse(explain))
    .find(({ graph, parts }) => graph?.relative === 1 && parts.retrievers < 1);
  const fused = explained?.parts.retrievers ?? 1;
  const own = 0.4 * (explained?.keyword?.relative ?? 0) + 0.6 * (explained?.vector?.relative ?? 0);
  return (fused - own) / (1 - fused);
}

describe('the retrievers beside keyword and vector', () => {
  test('the graph finds what mentions the surroundings of a file, for those who may see it', async () => {
    const query = 'what happened around cents.ts?';
    const all = await found(instance.admin, 'graph', query);
    expect(all.map((line) => line.slice(3)).toSorted((a, b) => a.localeCompare(b))).toEqual([BROKE, COLLEAGUES]);
    expect(await found(colleague, 'graph', query)).toEqual([`1. ${COLLEAGUES}`]);
    expect(await found(stranger, 'graph', query)).toEqual([]);
    expect(await found(instance.admin, 'graph', 'what happened around dollars.ts?')).toEqual([]);
  });

  test.each(VALUE_FILTERS)('the graph finds nothing for a query with the filter %s', async (name) => {
    expect(await found(instance.admin, 'graph', `what happened around cents.ts? ${name}:none`)).toEqual([]);
  });

  test('a name that every memory mentions has little weight in the graph', async () => {
    const quay = newId();
    await instance.rows(
      `INSERT INTO entities (id, tenant_id, type, name, label, weight, first_seen, last_seen)
       VALUES ($1, $2, 'file', 'src/quay.ts', 'src/quay.ts', 1, now(), now())`,
      [quay, instance.admin.tenantId],
    );
    await mention(quay, [BROKE, COLLEAGUES]);
    const rare = await weightOfGraph('what broke when nobody looked around quay.ts?');
    expect(rare).toBeCloseTo(0.1, 2);
    await mention(quay, HARBOUR);
    expect(await weightOfGraph('what broke when nobody looked around quay.ts?')).toBeCloseTo(0.1 * (6 / 100), 2);
  });

  test('the newest is the newest that the asker may see', async () => {
    const query = 'what was the last thing we did?';
    expect((await found(instance.admin, 'recency', query))[0]).toBe(`1. ${LAST}`);
    expect(await found(colleague, 'recency', query)).toEqual([`1. ${COLLEAGUES}`]);
    expect(await found(stranger, 'recency', query)).toEqual([]);
  });
});

describe('a second user', () => {
  test.each([
    ['a phrase', '"disk was full"', {}],
    ['a time', 'disk full', { as_of: new Date(Date.now() + 60_000).toISOString() }],
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
    const words = await recall.search({ ...queryFor('harbour'), includeVectors: true });
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
      let isSilent = false;
      const ask = createSearch({
        database: parts.database,
        vectors,
        indexOf: parts.indexOf,
        reranker: null,
        settings: { ...config.search, retrieverTimeoutMs: 2_000 },
        onStage: (stage) => {
          if (isSilent && stage === 'read') proxy.fallSilent();
        },
      });
      const query = { ...queryFor('harbour'), includeVectors: true };
      expect((await ask(query)).found[0]?.vector).toHaveLength(384);
      isSilent = true;
      const started = performance.now();
      const late = await ask(query);
      expect(performance.now() - started).toBeLessThan(8_000);
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
