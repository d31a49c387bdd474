import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { memorySchema } from '../../../contract/memory.ts';
import { searchAnswer } from '../../../contract/search.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { expectError, bodyOf } from '../support/answers.ts';
import { idsOf, listed } from '../support/learnings.ts';
import { memoryOf, remembered } from '../support/memories.ts';
import type { MemoryAnswer } from '../support/memories.ts';
import { fileInstance } from '../../setup/file-instance.ts';

const instance = fileInstance();

beforeAll(async () => {
  await captured(instance, smallSession('changes'));
});

const corrected = async (name: string, body: unknown): Promise<MemoryAnswer> =>
  bodyOf(memorySchema, await instance.put(`/memories/${name}`, body));

const refused = (method: string, path: string, body?: unknown) =>
  instance.call(method, path, body === undefined ? {} : { body });

const rowId = async (table: 'prompts' | 'observations') =>
  await instance.text(`SELECT id AS value FROM ${table} ORDER BY seq LIMIT 1`);

const NO_SOURCES = { forgotten: [], remaining: [], remaining_count: 0 };

describe('correcting', () => {
  test('creates a new version; the old hash leads to it, and as_of to the former text', async () => {
    const hash = await remembered(instance, 'The port is 8080', {
      title: 'Port',
      tags: ['net'],
      occurred_at: '2025-05-01T00:00:00Z',
    });
    const old = await memoryOf(instance, hash);
    const now = await corrected(hash, { content: 'The port is 9090' });
    // The title spoke of the old text.
    expect(now).toMatchObject({ title: '', tags: ['net'], content: 'The port is 9090' });
    expect(now.hash).not.toBe(hash);
    for (const name of [hash, old.id, now.hash, `by-hash/${hash}`])
      expect((await memoryOf(instance, name)).content).toBe('The port is 9090');
    const then = '?as_of=2025-06-01T00:00:00Z';
    for (const name of [hash, now.id, `by-hash/${now.hash}`])
      expect(await memoryOf(instance, name, then)).toMatchObject({ ...old, score: 0 });
    expectError(await refused('GET', `/memories/${hash}?as_of=2025-04-30T00:00:00Z`), 'NOT_FOUND');
    expectError(await instance.get(`/memories/${hash}?as_of=odd`), 'VALIDATION_FAILED', 'as_of');
    // Repeated, as after a lost response, it changes nothing.
    expect((await corrected(hash, { content: 'The port is 9090' })).hash).toBe(now.hash);
    // A caller with the old hash alone corrects the current version.
    expect((await corrected(hash, { tags: ['ports'] })).content).toBe('The port is 9090');
    expect((await memoryOf(instance, now.id)).tags).toEqual(['ports']);
    expect((await listed(instance, 'q=port&include_closed=true')).data).toHaveLength(3);
    // Chunks of what was replaced leave the vector index.
    expect(await instance.count('embedding_removals WHERE resource_id = $1', [old.id])).toBe(1);
  });

  test('by several at once loses no correction', async () => {
    const hash = await remembered(instance, 'Counted to zero');
    const answers = await Promise.all(
      Array.from({ length: 4 }, (_, n) => instance.put(`/memories/${hash}`, { content: `Counted ${n}` })),
    );
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200]);
    expect(
      (await listed(instance, 'q=Counted&include_closed=true')).data.map((row) => row.version).sort((a, b) => a - b),
    ).toEqual([1, 2, 3, 4, 5]);
    expect(await idsOf(instance, 'q=Counted')).toHaveLength(1);
  });

  test('of the importance alone creates no version', async () => {
    const hash = await remembered(instance, 'Weighed once');
    expect((await corrected(hash, { importance: 0.3 })).hash).toBe(hash);
    expect((await listed(instance, 'q=Weighed')).data[0]?.confidence).toBeCloseTo(0.3, 5);
  });

  test('takes an importance that is too near to zero for the database as zero', async () => {
    const hash = await remembered(instance, 'Weighs next to nothing', { importance: 2.2e-308 });
    expect((await listed(instance, 'q=nothing')).data[0]?.confidence).toBe(0);
    await corrected(hash, { importance: 1e-46 });
    const id = await rowId('observations');
    await corrected(id, { importance: 1e-320 });
    expect(await instance.count('observations WHERE id = $1 AND importance = 0', [id])).toBe(1);
  });

  test('of an observation changes tags, importance and flag, and has its vectors written again', async () => {
    const id = await rowId('observations');
    await instance.write(
      `INSERT INTO embeddings (id, tenant_id, resource_type, resource_id, chunk, model, dimension, content_hash, object_id, state)
       VALUES (uuidv7(), $1, 'observation', $2, 0, 'some', 3, '\\x00', uuidv7(), 'indexed')`,
      [instance.admin.tenantId, id],
    );
    expect(await corrected(id, { tags: ['money', 'money'], importance: 0.9, flagged: true })).toMatchObject({
      id,
      tags: ['money'],
    });
    expect(await instance.count('observations WHERE id = $1 AND flagged AND importance > 0.8', [id])).toBe(1);
    expect(await instance.count("embeddings WHERE resource_id = $1 AND state = 'pending'", [id])).toBe(1);
    expectError(await refused('PUT', `/memories/${id}`, { content: 'Other words' }), 'VALIDATION_FAILED', 'content');
  });

  test('is refused where there is nothing to correct', async () => {
    const hash = await remembered(instance, 'Refused changes');
    const other = await remembered(instance, 'Known already');
    expectError(await refused('PUT', `/memories/${hash}`, {}), 'VALIDATION_FAILED', 'content');
    expectError(await refused('PUT', `/memories/${hash}`, { content: ' ' }), 'VALIDATION_FAILED', 'content');
    expectError(
      await refused('PUT', `/memories/${hash}`, { content: '<private>x</private>' }),
      'VALIDATION_FAILED',
      'content',
    );
    expectError(await refused('PUT', `/memories/${hash}`, { flagged: true }), 'VALIDATION_FAILED', 'flagged');
    expectError(await refused('PUT', `/memories/${hash}`, { project: 'x' }), 'VALIDATION_FAILED');
    expectError(await refused('PUT', `/memories/${hash}`, { content: 'Known already' }), 'CONFLICT', 'content');
    expect((await memoryOf(instance, other)).content).toBe('Known already');
    expectError(await refused('PUT', `/memories/${await rowId('prompts')}`, { tags: [] }), 'VALIDATION_FAILED', 'id');
  });

  test('stores a text that differs in punctuation alone beside the other, and rejects the same text', async () => {
    const other = await remembered(instance, 'Keep y <= 3');
    const hash = await remembered(instance, 'Keep y >= 3');
    const tagged = await corrected(hash, { tags: ['limits'] });
    expect(tagged).toMatchObject({ content: 'Keep y >= 3', tags: ['limits'] });
    expect((await corrected(hash, { category: 'config' })).kind).toBe('config');
    expect((await corrected(hash, { content: 'Keep y = 3', category: 'general' })).content).toBe('Keep y = 3');
    expectError(await refused('PUT', `/memories/${hash}`, { content: 'Keep y <= 3' }), 'CONFLICT', 'content');
    expect((await memoryOf(instance, other)).content).toBe('Keep y <= 3');
  });
});

describe('forgetting', () => {
  test('removes all versions and their text; a user may remember it again', async () => {
    const hash = await remembered(instance, 'A secret plan', { tags: ['plan'] });
    const { id } = await corrected(hash, { content: 'A secret plan, changed' });
    const answer = await instance.delete(`/memories/${hash}`);
    expect([answer.status, answer.body]).toEqual([
      200,
      { id, hash: expect.any(String), type: 'learning', dry_run: false, forgotten: 2, sources: NO_SOURCES },
    ]);
    for (const name of [hash, id, `by-hash/${hash}`])
      expectError(await refused('GET', `/memories/${name}`), 'NOT_FOUND');
    expectError(await refused('GET', `/memories/${hash}?as_of=2999-01-01T00:00:00Z`), 'NOT_FOUND');
    expectError(await refused('DELETE', `/memories/${hash}`), 'NOT_FOUND');
    expect(await instance.count("learnings WHERE description LIKE 'A secret plan%' OR 'plan' = ANY (tags)")).toBe(0);
    expect(await instance.count('embeddings WHERE resource_id = $1', [id])).toBe(0);
    const again = await remembered(instance, 'A secret plan');
    expect(again).not.toBe(hash);
  });

  test('what was deleted was never known: as_of finds it neither', async () => {
    const hash = await remembered(instance, 'Walrus tusks are ivory', { occurred_at: '2025-05-01T00:00:00Z' });
    const { id } = await memoryOf(instance, hash);
    const found = async () =>
      searchAnswer
        .parse((await instance.get('/search?q=walrus+tusks&as_of=2025-06-01T00:00:00Z')).body)
        .data.map((memory) => memory.content);
    expect(await found()).toEqual(['Walrus tusks are ivory']);
    expect((await instance.delete(`/learnings/${id}`)).status).toBeLessThan(300);
    expect(await found()).toEqual([]);
  });

  test('of a captured event is as by its key: it does not come back', async () => {
    const id = await rowId('prompts');
    const answer = await instance.delete(`/memories/${id}`);
    expect([answer.status, answer.body]).toEqual([
      200,
      { id, hash: expect.any(String), type: 'prompt', dry_run: false, forgotten: 1, sources: NO_SOURCES },
    ]);
    expectError(await refused('GET', `/memories/${id}`), 'NOT_FOUND');
    const [, prompt] = smallSession('changes');
    expectError(await refused('POST', '/events', prompt), 'EVENT_FORGOTTEN');
  });
});

describe('infer', () => {
  const infer = { infer: true, project: 'inferred' };
  const post = async (content: string, more: object = infer) => {
    const answer = await instance.post('/memories', { content, ...more });
    return { status: answer.status, hash: z.object({ hash: z.string() }).parse(answer.body).hash };
  };

  test('confirms a known learning, extends it, or closes it', async () => {
    const known = await post('The test suite needs Node 24 and a running PostgreSQL');
    expect(known.status).toBe(201);
    const same = await post('The test suite needs Node 24, and a running PostgreSQL!');
    expect(same).toEqual({ status: 200, hash: known.hash });
    const [current] = (await listed(instance, 'project=inferred')).data;
    expect(current?.confidence).toBeCloseTo(0.85, 5);
    const news = await post('Invoices are printed on green paper');
    expect(news.status).toBe(201);
    const opposite = await post('The test suite does not need Node 24 and a running PostgreSQL');
    expect(opposite.status).toBe(201);
    const { data } = await listed(instance, 'project=inferred&include_closed=true');
    expect(data.find((row) => row.id === current?.id)).toMatchObject({
      reason: 'contradicted',
      valid_to: expect.any(String),
    });
    // The old name leads to what took its place, and forgetting it does not forget that.
    expect((await memoryOf(instance, known.hash)).hash).toBe(opposite.hash);
    expectError(await refused('DELETE', `/memories/${known.hash}`), 'NOT_FOUND');
  });

  test('creates the next version of the learning that it extends', async () => {
    const known = await post('Deploys run at noon');
    const more = await post('Deploys run at noon from the release branch after the smoke tests passed');
    expect(more.status).toBe(201);
    const { data } = await listed(instance, 'project=inferred&q=deploys');
    expect(data).toMatchObject([{ version: 2, origin: 'user' }]);
    expect((await memoryOf(instance, known.hash)).hash).toBe(more.hash);
  });

  test('is processed in batches, each compared with those before it', async () => {
    const answer = await instance.post('/memories/batch', {
      memories: [
        { content: 'Logs are retained for thirty days', ...infer },
        { content: 'logs are retained for thirty days.', ...infer },
      ],
    });
    const { items } = z
      .object({ items: z.array(z.object({ status: z.string(), hash: z.string() })) })
      .parse(answer.body);
    expect(items.map((item) => item.status)).toEqual(['stored', 'duplicate']);
    expect(items[1]?.hash).toBe(items[0]?.hash);
  });

  test('without it the same words in other signs stand beside each other, also when projects are merged', async () => {
    const apart = { project: 'apart' };
    const first = await remembered(instance, 'Keep x <= 3', apart);
    const second = await remembered(instance, 'Keep x >= 3', apart);
    await remembered(instance, 'The other project', { project: 'joined' });
    const merged = await instance.post('/projects/apart/merge', { into: 'joined' });
    expect(merged.status).toBe(200);
    for (const [name, content] of [
      [first, 'Keep x <= 3'],
      [second, 'Keep x >= 3'],
    ] as const)
      expect(await memoryOf(instance, name)).toMatchObject({ content, project: 'joined' });
    const again = await instance.post('/memories', { content: 'Keep x >= 3', project: 'joined' });
    expect([again.status, again.body]).toEqual([200, { hash: second }]);
  });
});
