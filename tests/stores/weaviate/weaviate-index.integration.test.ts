import { connectToCustom, ApiKey } from 'weaviate-client';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { newId, type TenantId } from '../../../domain/ids.ts';
import { indexNameOf } from '../../../domain/index-model.ts';
import {
  VectorIndexUnavailable,
  type ExportedObject,
  type IndexHit,
  type RecallFilter,
  type VectorIndex,
} from '../../../domain/ports/vector-index.ts';
import { collectionName } from '../../../stores/weaviate/schema.ts';
import { createWeaviateIndex } from '../../../stores/weaviate/weaviate-index.ts';
import { startRelay } from '../../setup/relay.ts';
import { until } from '../../setup/until.ts';
import { PATIENT_SECONDS } from '../../setup/weaviate-limits.ts';
import { chunkOf, DIMENSION, MODEL, vectorAlong } from './chunks.ts';

const server = { ...inject('engines').weaviate, timeoutsSeconds: PATIENT_SECONDS };
const prefix = `Test${Date.now()}`;
let index: VectorIndex;

async function adminClient() {
  const { hostname, port } = new URL(server.url);
  return connectToCustom({
    httpHost: hostname,
    httpPort: Number(port),
    grpcHost: hostname,
    grpcPort: server.grpcPort,
    authCredentials: new ApiKey(server.apiKey),
  });
}

/** Removes what these tests made, collection by collection. */
async function dropCollection(model: string): Promise<void> {
  const client = await adminClient();
  await client.collections.delete(collectionName(prefix, model));
  await client.close();
}

beforeAll(async () => {
  index = createWeaviateIndex({ ...server, collectionPrefix: prefix });
  await index.ensureCollection(MODEL, DIMENSION);
});
afterAll(async () => {
  await index.close();
  await dropCollection(MODEL);
});

/** The nearest, once as many are found: vectors are indexed from a queue, a moment after they were written. */
function nearestOf(tenant: TenantId, vector: Float32Array, filter: RecallFilter, limit: number, count: number) {
  return until(async () => {
    const hits = await index.nearest(tenant, MODEL, vector, filter, limit);
    return hits.length >= count ? hits : undefined;
  });
}

const ids = (hits: readonly IndexHit[]): string[] => hits.map((hit) => hit.objectId);

describe('recall', () => {
  test('keyword finds words of title, purpose and text as one text', async () => {
    const tenant = newId<TenantId>();
    const inText = chunkOf(tenant, {
      title: 'A note',
      text: 'the migration failed on the index',
      memoryType: 'summary',
      chunk: 3,
    });
    const inTitle = chunkOf(tenant, { title: 'Migration failed', text: 'see the log of the database' });
    const session = newId();
    const led = chunkOf(tenant, {
      purpose: 'why has the migration failed?',
      text: '3 rows applied',
      sessionId: session,
      kind: 'tool_result',
      tool: 'Bash',
    });
    expect(await index.upsert(tenant, MODEL, [inText, inTitle, led, chunkOf(tenant)])).toEqual([]);

    const hits = await index.keyword(tenant, MODEL, 'migration failed', {}, 10);
    expect(new Set(ids(hits))).toEqual(new Set([inTitle.objectId, inText.objectId, led.objectId]));
    expect(ids(await index.keyword(tenant, MODEL, 'applied', {}, 10))).toEqual([led.objectId]);
    expect(await index.keyword(tenant, MODEL, 'migration', {}, 1)).toHaveLength(1);
    expect(await index.keyword(tenant, MODEL, '   ', {}, 10)).toEqual([]);
  });

  test.each([
    ['useMemo', 'the hook useMemo is stale'],
    ['memo', 'the hook useMemo is stale'],
    ['token_counter', 'rename token_counter to counter'],
    ['queue/retry.ts', 'edit src/queue/retry.ts'],
    ['数据库', '我们需要修复数据库连接'],
    ['データベース', '新しいデータベースに接続する'],
  ])('keyword finds %s', async (query, text) => {
    const tenant = newId<TenantId>();
    const chunk = chunkOf(tenant, { text });
    await index.upsert(tenant, MODEL, [chunk, chunkOf(tenant)]);
    expect(ids(await index.keyword(tenant, MODEL, query, {}, 10))).toEqual([chunk.objectId]);
  });

  test('nearest orders by cosine similarity and scores it', async () => {
    const tenant = newId<TenantId>();
    const near = chunkOf(tenant, { vector: vectorAlong(1, 0.1) });
    const nearer = chunkOf(tenant, { vector: vectorAlong(1) });
    const across = chunkOf(tenant, { vector: vectorAlong(3) });
    await index.upsert(tenant, MODEL, [near, across, nearer]);
    const hits = await nearestOf(tenant, vectorAlong(1), {}, 3, 3);
    expect(ids(hits)).toEqual([nearer.objectId, near.objectId, across.objectId]);
    expect(hits[0]?.score).toBeCloseTo(1, 4);
    expect(hits[1]?.score).toBeCloseTo(Math.sqrt(0.99), 4);
    expect(hits[2]?.score).toBeCloseTo(0, 4);
  });

  test('a text and a tag of any shape are not read as query language', async () => {
    const tenant = newId<TenantId>();
    const odd = chunkOf(tenant, { text: 'quote " brace } nul \u0001 emoji 😀 word', tags: ['a"b', 'c d'] });
    expect(await index.upsert(tenant, MODEL, [odd])).toEqual([]);
    expect(ids(await index.keyword(tenant, MODEL, '" } word', { tags: ['a"b'] }, 5))).toEqual([odd.objectId]);
  });
});

describe('filters apply inside the store', () => {
  const tenant = newId<TenantId>();
  const owner = '0197-owner';
  const chosen = chunkOf(tenant, {
    memoryType: 'learning',
    projectId: 'p-1',
    sessionId: 's-1',
    namespace: 'work',
    kind: 'bugfix',
    tool: 'Bash',
    tags: ['db', 'retry'],
    occurredAt: '2026-05-10T00:00:00.000Z',
    vector: vectorAlong(2, 0.5),
  });
  const other = chunkOf(tenant, {
    projectId: 'p-2',
    sessionId: 's-2',
    kind: 'feature',
    tool: 'Bash(npm)',
    tags: ['db'],
    occurredAt: '2026-05-01T00:00:00.000Z',
    vector: vectorAlong(2),
  });

  beforeAll(async () => {
    await index.upsert(tenant, MODEL, [chosen, other]);
    await nearestOf(tenant, vectorAlong(2), {}, 2, 2);
  });

  const filters: [string, RecallFilter][] = [
    ['type', { types: ['learning', 'summary'] }],
    ['project', { projectId: 'p-1' }],
    ['session', { sessionId: 's-1' }],
    ['another session than that', { excludeSessionId: 's-2' }],
    ['namespace', { namespace: 'work' }],
    ['kind', { kind: 'bugfix' }],
    ['complete tool name', { tool: 'Bash' }],
    ['tags, all of them', { tags: ['retry', 'db'] }],
    ['since, included', { since: '2026-05-10T00:00:00.000Z' }],
    ['several at once', { types: ['learning'], projectId: 'p-1', tags: ['db'], viewerId: owner }],
  ];

  test.each(filters)('%s', async (_, filter) => {
    // The other one is nearer: only a filter before the top-1 can answer this.
    expect(ids(await index.nearest(tenant, MODEL, vectorAlong(2), filter, 1))).toEqual([chosen.objectId]);
    expect(ids(await index.keyword(tenant, MODEL, 'particular', filter, 1))).toEqual([chosen.objectId]);
  });

  test('what is of no session is of another one', async () => {
    const home = newId<TenantId>();
    const [without, within] = [chunkOf(home, { sessionId: null }), chunkOf(home, { sessionId: 's-2' })];
    await index.upsert(home, MODEL, [without, within]);
    await nearestOf(home, vectorAlong(0), {}, 2, 2);
    const filter = { excludeSessionId: 's-2', namespace: without.namespace };
    expect(ids(await index.keyword(home, MODEL, 'particular', filter, 5))).toEqual([without.objectId]);
    expect(ids(await index.nearest(home, MODEL, vectorAlong(0), filter, 5))).toEqual([without.objectId]);
  });

  test('until is not included', async () => {
    const filter = { until: '2026-05-10T00:00:00.000Z' };
    expect(ids(await index.keyword(tenant, MODEL, 'particular', filter, 5))).toEqual([other.objectId]);
  });

  test('no restriction finds both; no types find nothing', async () => {
    expect(await index.keyword(tenant, MODEL, 'particular', { tags: [] }, 5)).toHaveLength(2);
    expect(await index.keyword(tenant, MODEL, 'particular', { types: [] }, 5)).toEqual([]);
  });

  test('private memories are seen by their owner and by admins only', async () => {
    const home = newId<TenantId>();
    const mine = chunkOf(home, { ownerId: 'me' });
    const foreign = chunkOf(home, { ownerId: 'them' });
    const shared = chunkOf(home);
    await index.upsert(home, MODEL, [mine, foreign, shared]);
    const seen = async (filter: RecallFilter): Promise<string[]> =>
      ids(await index.keyword(home, MODEL, 'particular', filter, 9)).sort();
    expect(await seen({ viewerId: 'me' })).toEqual([mine.objectId, shared.objectId].sort());
    expect(await seen({ viewerId: 'stranger' })).toEqual([shared.objectId]);
    expect([await seen({ ownerId: null }), await seen({ ownerId: 'me' })]).toEqual([
      [shared.objectId],
      [mine.objectId],
    ]);
    expect(await seen({})).toEqual([mine.objectId, foreign.objectId, shared.objectId].sort());
    expect(ids(await nearestOf(home, vectorAlong(0), { viewerId: 'them' }, 9, 2)).sort()).toEqual(
      [foreign.objectId, shared.objectId].sort(),
    );
  });
});

describe('writes', () => {
  test('tenants do not see each other', async () => {
    const [one, two] = [newId<TenantId>(), newId<TenantId>()];
    const chunk = chunkOf(one);
    await index.upsert(one, MODEL, [chunk]);
    await index.upsert(two, MODEL, [chunkOf(two, { text: 'other words' })]);
    expect(await index.keyword(two, MODEL, 'particular', {}, 5)).toEqual([]);
    expect(ids(await nearestOf(two, chunk.vector, {}, 5, 1))).not.toContain(chunk.objectId);
    await index.remove(two, MODEL, [chunk.memoryId]);
    expect(await index.keyword(one, MODEL, 'particular', {}, 5)).toHaveLength(1);
  });

  test('reports what the server refuses per object, and writes the rest', async () => {
    const tenant = newId<TenantId>();
    const good = chunkOf(tenant);
    const short = chunkOf(tenant, { vector: Float32Array.of(1, 0) });
    await index.upsert(tenant, MODEL, [good]);
    await nearestOf(tenant, good.vector, {}, 1, 1);
    const also = chunkOf(tenant);
    const refused = await index.upsert(tenant, MODEL, [also, short]);
    expect(refused.map(({ objectId }) => objectId)).toEqual([short.objectId]);
    expect(refused[0]?.message).toMatch(/vector/iu);
    expect(ids(await index.keyword(tenant, MODEL, 'particular', {}, 5)).sort()).toEqual(
      [good.objectId, also.objectId].sort(),
    );
  });

  test('a value that cannot be stored is refused like any other', async () => {
    const tenant = newId<TenantId>();
    const bad = chunkOf(tenant, { occurredAt: 'yesterday' });
    const good = chunkOf(tenant);
    const refused = await index.upsert(tenant, MODEL, [good, bad]);
    expect(refused.map(({ objectId }) => objectId)).toEqual([bad.objectId]);
    expect(await index.keyword(tenant, MODEL, 'particular', {}, 5)).toHaveLength(1);
  });

  test('writing a chunk again replaces it', async () => {
    const tenant = newId<TenantId>();
    const chunk = chunkOf(tenant, { text: 'first words' });
    await index.upsert(tenant, MODEL, [chunk]);
    await index.upsert(tenant, MODEL, [{ ...chunk, text: 'second thoughts', vector: vectorAlong(2) }]);
    expect(await index.keyword(tenant, MODEL, 'first', {}, 5)).toEqual([]);
    expect(await index.keyword(tenant, MODEL, 'second', {}, 5)).toHaveLength(1);
    const hits = await until(async () => {
      const found = await index.nearest(tenant, MODEL, vectorAlong(2), {}, 5);
      return (found[0]?.score ?? 0) > 0.9 ? found : undefined;
    });
    expect(hits).toHaveLength(1);
    expect(hits[0]?.score).toBeCloseTo(1, 4);
  });

  test('many chunks go in several requests; remove takes all chunks of a memory and no other', async () => {
    const tenant = newId<TenantId>();
    const memoryId = newId();
    const many = Array.from({ length: 450 }, (_, chunk) => chunkOf(tenant, { memoryId, chunk }));
    const valid = chunkOf(tenant);
    expect(await index.upsert(tenant, MODEL, [...many, valid])).toEqual([]);
    expect(await index.keyword(tenant, MODEL, 'particular', {}, 1_000)).toHaveLength(451);
    await index.remove(tenant, MODEL, [memoryId, newId()]);
    expect(ids(await index.keyword(tenant, MODEL, 'particular', {}, 1_000))).toEqual([valid.objectId]);
  });

  test('an abort stops between requests', async () => {
    const tenant = newId<TenantId>();
    const reason = new Error('stop');
    await expect(index.upsert(tenant, MODEL, [chunkOf(tenant)], AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(await index.keyword(tenant, MODEL, 'particular', {}, 5)).toEqual([]);
  });

  test('two writers create one collection and one tenant between them', async () => {
    const model = 'race-v1';
    const tenant = newId<TenantId>();
    const others = Array.from({ length: 3 }, () => createWeaviateIndex({ ...server, collectionPrefix: prefix }));
    await Promise.all(others.map(async (other) => other.ensureCollection(model, DIMENSION)));
    const refused = await Promise.all(others.map(async (other) => other.upsert(tenant, model, [chunkOf(tenant)])));
    expect(refused.flat()).toEqual([]);
    expect(await index.keyword(tenant, model, 'particular', {}, 9)).toHaveLength(3);
    await Promise.all(others.map(async (other) => other.close()));
    await dropCollection(model);
  });

  test('after a wipe the next write creates again what is missing', async () => {
    const model = 'wiped-v1';
    const tenant = newId<TenantId>();
    await index.ensureCollection(model, DIMENSION);
    await index.upsert(tenant, model, [chunkOf(tenant)]);
    await dropCollection(model);
    expect(await index.keyword(tenant, model, 'particular', {}, 5)).toEqual([]);
    expect(await index.upsert(tenant, model, [chunkOf(tenant)])).toEqual([]);
    expect(await index.keyword(tenant, model, 'particular', {}, 5)).toHaveLength(1);
    await dropCollection(model);
  });
});

describe('what is missing answers nothing', () => {
  test.each([
    ['tenant', MODEL],
    ['collection', 'never-made-v1'],
  ])('%s', async (_, model) => {
    const tenant = newId<TenantId>();
    expect(await index.keyword(tenant, model, 'anything', {}, 5)).toEqual([]);
    expect(await index.nearest(tenant, model, vectorAlong(0), {}, 5)).toEqual([]);
    await expect(index.remove(tenant, model, [newId()])).resolves.toBeUndefined();
  });
});

describe('an unavailable server', () => {
  test('every call fails quickly, and works again once the server is back', async () => {
    const { hostname } = new URL(server.url);
    const http = await startRelay(server.url);
    const grpc = await startRelay(`http://${hostname}:${server.grpcPort}`);
    const proxied = createWeaviateIndex({ ...server, url: http.url, grpcPort: grpc.port, collectionPrefix: prefix });
    const tenant = newId<TenantId>();
    await proxied.upsert(tenant, MODEL, [chunkOf(tenant)]);
    expect(await proxied.ping()).toBeGreaterThan(0);

    await Promise.all([http.cut(), grpc.cut()]);
    const calls = [
      async () => proxied.keyword(tenant, MODEL, 'particular', {}, 5),
      async () => proxied.nearest(tenant, MODEL, vectorAlong(0), {}, 5),
      async () => proxied.upsert(tenant, MODEL, [chunkOf(tenant)]),
      async () => proxied.remove(tenant, MODEL, [newId()]),
      async () => proxied.ensureCollection(MODEL, DIMENSION),
      async () => proxied.ping(),
    ];
    for (const call of calls) {
      const started = performance.now();
      await expect(call()).rejects.toBeInstanceOf(VectorIndexUnavailable);
      // Not the time limit of a connection.
      expect(performance.now() - started).toBeLessThan(PATIENT_SECONDS.connect * 1_000);
    }

    await Promise.all([http.restore(), grpc.restore()]);
    expect(await proxied.keyword(tenant, MODEL, 'particular', {}, 5)).toHaveLength(1);
    expect(await proxied.upsert(tenant, MODEL, [chunkOf(tenant)])).toEqual([]);
    await proxied.close();
    await Promise.all([http.cut(), grpc.cut()]);
  });

  test('it can be made while there is no server, and refuses after close', async () => {
    const nowhere = createWeaviateIndex({ url: 'http://127.0.0.1:1', grpcPort: 2, apiKey: 'x' });
    await expect(nowhere.ping()).rejects.toBeInstanceOf(VectorIndexUnavailable);
    await expect(nowhere.keyword(newId<TenantId>(), MODEL, 'x', {}, 1)).rejects.toBeInstanceOf(VectorIndexUnavailable);
    await nowhere.close();
    await expect(nowhere.ensureCollection(MODEL, DIMENSION)).rejects.toBeInstanceOf(VectorIndexUnavailable);
  });

  test('a wrong key is no answer either', async () => {
    const wrong = createWeaviateIndex({ ...server, apiKey: 'wrong', collectionPrefix: prefix });
    await expect(wrong.keyword(newId<TenantId>(), MODEL, 'x', {}, 1)).rejects.toBeInstanceOf(VectorIndexUnavailable);
    await wrong.close();
  });
});

test('an index may be made with vectors of 8 bits a number, and finds by them', async () => {
  const model = indexNameOf('small-vectors');
  const tenant = newId<TenantId>();
  const small = createWeaviateIndex({ ...server, collectionPrefix: prefix, quantization: 'rq' });
  try {
    await small.ensureCollection(model, DIMENSION);
    const client = await adminClient();
    const { vectorizers } = await client.collections.use(collectionName(prefix, model)).config.get();
    await client.close();
    expect(JSON.stringify(vectorizers)).toMatch(/"type":"rq"/);
    const chunks = [chunkOf(tenant, { vector: vectorAlong(0) }), chunkOf(tenant, { vector: vectorAlong(1) })];
    await small.upsert(tenant, model, chunks);
    const hits = await until(async () => {
      const found = await small.nearest(tenant, model, vectorAlong(1), {}, 2);
      return found.length === 2 ? found : undefined;
    });
    expect(hits[0]?.objectId).toBe(chunks[1]?.objectId);
    expect(hits[0]?.score).toBeCloseTo(1, 2);
  } finally {
    await small.close();
    await dropCollection(model);
  }
});

test('what was exported is loaded into another index word for word, and found by its vector', async () => {
  const tenant = newId<TenantId>();
  const chunks = [0, 1, 2].map((axis) =>
    chunkOf(tenant, { text: `passage ${axis}`, tags: axis === 0 ? [] : ['one', 'two'], vector: vectorAlong(axis) }),
  );
  expect(await index.upsert(tenant, MODEL, chunks)).toEqual([]);
  const exported = async (from: VectorIndex) => {
    const objects: ExportedObject[] = [];
    for await (const some of from.export(tenant, MODEL, new AbortController().signal)) objects.push(...some);
    return objects.toSorted((a, b) => (a.objectId < b.objectId ? -1 : 1));
  };
  const copy = createWeaviateIndex({ ...server, collectionPrefix: `${prefix}Copy` });
  try {
    const objects = await exported(index);
    expect(objects).toHaveLength(3);
    expect(await copy.load(tenant, MODEL, DIMENSION, objects)).toEqual([]);
    expect(await exported(copy)).toEqual(objects);
    await until(async () => ((await copy.queued(tenant, MODEL)) === 0 ? true : undefined));
    expect(ids(await copy.nearest(tenant, MODEL, vectorAlong(1), {}, 1))).toEqual([chunks[1]?.objectId]);
    const [first] = objects;
    const short = { ...first, objectId: newId(), properties: {}, vector: new Float32Array([1]) };
    expect(await copy.load(tenant, MODEL, DIMENSION, [short])).toMatchObject([{ objectId: short.objectId }]);
    await copy.dropAll();
    expect(await copy.nearest(tenant, MODEL, vectorAlong(1), {}, 1)).toEqual([]);
    expect(await exported(index)).toHaveLength(3);
  } finally {
    await copy.close();
  }
});
