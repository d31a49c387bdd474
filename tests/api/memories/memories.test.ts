import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { memorySchema } from '../../../contract/memory.ts';
import { createTokenCounter } from '../../../models/tokens/token-counter.ts';
import type { TestUser } from '../../setup/database.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { errorOf, expectError, inTime } from '../support/answers.ts';
import { given } from '../support/learnings.ts';
import { memoryOf, remembered } from '../support/memories.ts';
import { fileInstance } from '../../setup/file-instance.ts';

const instance = fileInstance();
let colleague: TestUser;
let stranger: TestUser;
let viewer: TestUser;

beforeAll(async () => {
  colleague = await instance.user();
  stranger = await instance.stranger({ role: 'admin' });
  viewer = await instance.user({ role: 'viewer' });
  await captured(instance, smallSession('memories'));
});

const rejected = (body: unknown, key = instance.admin.key) => instance.post('/memories', body, key);

describe('remembering', () => {
  test('returns the hash alone, in at most 15 tokens, and requests vectors', async () => {
    const answer = await instance.post('/memories', { content: 'The build needs pnpm 9.' });
    expect(answer.status).toBe(201);
    expect(createTokenCounter().count(JSON.stringify(answer.body))).toBeLessThanOrEqual(15);
    const { hash } = z.strictObject({ hash: z.string() }).parse(answer.body);
    const memory = await memoryOf(instance, hash);
    expect(memory).toMatchObject({
      hash,
      type: 'learning',
      kind: 'general',
      title: '',
      content: 'The build needs pnpm 9.',
      project: null,
      namespace: 'default',
      tags: [],
      session: null,
      key: null,
      sources: [],
    });
    expect(await instance.count("embeddings WHERE resource_id = $1 AND state = 'pending'", [memory.id])).toBe(1);
  });

  test('stores title, tags, category, importance, project and time', async () => {
    const hash = await remembered(instance, 'Deploys go out on Tuesdays', {
      title: 'Deploy day',
      tags: ['ops', 'ops', 'calendar'],
      category: 'best_practice',
      importance: 0.9,
      project: 'git@github.com:Acme/Ledger.git',
      namespace: 'team',
      occurred_at: '2025-05-02T10:00:00Z',
    });
    expect(await memoryOf(instance, hash)).toMatchObject({
      title: 'Deploy day',
      kind: 'best_practice',
      tags: ['ops', 'calendar'],
      project: 'Ledger',
      namespace: 'team',
      occurred_at: '2025-05-02T10:00:00.000Z',
    });
    // The project was made under the alias by which a capture of it is known.
    expect(await instance.count("project_aliases WHERE alias = 'remote:github.com/Acme/Ledger'")).toBe(1);
    const again = await remembered(instance, 'Rollbacks take ten minutes', { project: 'github.com:Acme/Ledger' });
    expect((await memoryOf(instance, again)).project).toBe('Ledger');
    const listed = await instance.get('/learnings?project=Ledger&namespace=team');
    expect(listed.body).toMatchObject({ data: [{ origin: 'user', confidence: expect.closeTo(0.9, 5) }] });
  });

  test('of the same content is one memory, however many say it at once', async () => {
    const body = { content: 'Ports below 1024 need root', project: 'same', tags: ['ports'] };
    const answers = await Promise.all(Array.from({ length: 8 }, () => instance.post('/memories', body)));
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(7);
    expect(new Set(answers.map((answer) => JSON.stringify(answer.body))).size).toBe(1);
    expect(await instance.count("learnings WHERE description = 'Ports below 1024 need root'")).toBe(1);
    // Another category is a duplicate; another project or namespace is not.
    const later = await instance.post('/memories', { ...body, category: 'config' });
    expect([later.status, later.body]).toEqual([200, answers[0]?.body]);
    await remembered(instance, body.content, { project: 'other' });
    await remembered(instance, body.content, { project: 'same', namespace: 'own' });
    // The text of a learning is a duplicate, too.
    await given(instance, 'Tests run in bands');
    expect((await instance.post('/memories', { content: 'Tests run in bands' })).status).toBe(200);
  });

  test('stores texts that differ in punctuation alone', async () => {
    const first = await remembered(instance, 'Retry while attempts <= 3');
    const second = await remembered(instance, 'Retry while attempts >= 3');
    expect(second).not.toBe(first);
    const again = await instance.post('/memories', { content: 'Retry while attempts >= 3' });
    expect([again.status, again.body]).toEqual([200, { hash: second }]);
  });

  test('takes 64 KiB and no byte more, without secrets and private passages', async () => {
    const hash = await remembered(instance, `${'word '.repeat(13_000)}end of ${'é'.repeat(200)}`.slice(0, 65_000));
    expect((await memoryOf(instance, hash)).content.length).toBeGreaterThan(64_000);
    expectError(await rejected({ content: 'é'.repeat(32_769) }), 'VALIDATION_FAILED', 'content');
    const token = await remembered(
      instance,
      'The token ghp_0123456789abcdefABCDEF0123456789abcd <private>pin 1</private>',
    );
    const stored = JSON.stringify(await memoryOf(instance, token));
    expect(stored).not.toContain('ghp_0123');
    expect(stored).not.toContain('pin 1');
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['nothing', { content: ' \n' }, 'content'],
    ['only private words', { content: '<private>a secret</private>' }, 'content'],
    ['a long title', { title: 'x'.repeat(201) }, 'title'],
    ['too many tags', { tags: Array.from({ length: 33 }, (_, n) => `t${n}`) }, 'tags'],
    ['a long tag', { tags: ['x'.repeat(65)] }, 'tags.0'],
    ['an unknown category', { category: 'odd' }, 'category'],
    ['an id of no project', { project: randomUUID() }, 'project'],
    ['too much importance', { importance: 1.1 }, 'importance'],
    ['importance twice', { importance: 0.5, confidence: 0.6 }, 'confidence'],
    ['a time to come', { occurred_at: '2999-01-01T00:00:00Z' }, 'occurred_at'],
    ['a time that is none', { occurred_at: 'yesterday' }, 'occurred_at'],
    ['a long namespace', { namespace: 'x'.repeat(129) }, 'namespace'],
    ['an infer that is no boolean', { infer: 'yes' }, 'infer'],
  ])('is refused with %s', async (_what, change, field) => {
    const before = await instance.count('learnings');
    expectError(await rejected({ content: 'Some content', ...change }), 'VALIDATION_FAILED', field);
    expect(await instance.count('learnings')).toBe(before);
  });

  test('is for those who may write', async () => {
    expectError(await rejected({ content: 'From a viewer' }, viewer.key), 'FORBIDDEN');
    const reader = await instance.user({ scopes: ['read'] });
    expectError(await rejected({ content: 'From a reader' }, reader.key), 'FORBIDDEN');
    for (const [method, path] of [
      ['POST', '/memories/batch'],
      ['PUT', `/memories/${randomUUID()}`],
      ['DELETE', `/memories/${randomUUID()}`],
    ] as const) {
      const body = method === 'DELETE' ? {} : { body: method === 'PUT' ? { tags: [] } : { memories: [{}] } };
      expectError(await instance.call(method, path, { ...body, key: viewer.key }), 'FORBIDDEN');
    }
  });
});

test('health has a form of at most 20 tokens', async () => {
  const answer = await inTime(() => instance.get('/health?format=compact', null));
  expect([answer.status, answer.body]).toEqual([200, { status: expect.stringMatching(/^(?:ok|degraded)$/) }]);
  expect(createTokenCounter().count(JSON.stringify(answer.body))).toBeLessThanOrEqual(20);
});

describe('a batch', () => {
  const itemsOf = (body: unknown) =>
    z
      .object({
        items: z.array(
          z.object({
            index: z.number(),
            status: z.string(),
            hash: z.string().nullable(),
            message: z.string().nullable(),
          }),
        ),
      })
      .parse(body).items;

  test('stores what is good, names what is bad, and knows its duplicates', async () => {
    const known = await remembered(instance, 'Known before the batch');
    const answer = await instance.post('/memories/batch', {
      memories: [
        { content: 'Batch one', project: 'batch' },
        { content: '' },
        { content: 'Batch one', project: 'batch' },
        'odd',
        { content: 'Known before the batch' },
        { content: 'Batch two', project: randomUUID() },
        { content: 'x', surprise: true },
        { content: 'BATCH, ONE', project: 'batch' },
      ],
    });
    expect(answer.status).toBe(200);
    const items = itemsOf(answer.body);
    expect(items.map(({ index, status }) => [index, status])).toEqual([
      [0, 'stored'],
      [1, 'rejected'],
      [2, 'duplicate'],
      [3, 'rejected'],
      [4, 'duplicate'],
      [5, 'rejected'],
      [6, 'rejected'],
      [7, 'stored'],
    ]);
    expect(items[2]?.hash).toBe(items[0]?.hash);
    expect(items[4]?.hash).toBe(known);
    expect(items[1]?.message).toMatch(/^content: /);
    expect(items[5]?.message).toMatch(/^project: /);
    expect((await memoryOf(instance, items[7]?.hash ?? '')).content).toBe('BATCH, ONE');
  });

  test('contains at most 1,000', async () => {
    const body = (n: number) => ({ memories: Array.from({ length: n }, (_, place) => ({ content: `Many ${place}` })) });
    const stored = await instance.post('/memories/batch', body(1_000));
    expect(itemsOf(stored.body).every((item) => item.status === 'stored')).toBe(true);
    expectError(await instance.post('/memories/batch', body(1_001)), 'VALIDATION_FAILED', 'memories');
    expectError(await instance.post('/memories/batch', { memories: [] }), 'VALIDATION_FAILED', 'memories');
  });
});

describe('a memory', () => {
  /** A prompt and an observation of the admin. */
  const rowId = async (table: 'prompts' | 'observations') =>
    await instance.text(`SELECT id AS value FROM ${table} ORDER BY seq LIMIT 1`);

  test('of any type is read by its id; those of others are not there', async () => {
    const prompt = await rowId('prompts');
    const observation = await rowId('observations');
    expect(await memoryOf(instance, prompt)).toMatchObject({ id: prompt, type: 'prompt', key: expect.any(String) });
    expect(await memoryOf(instance, observation.toUpperCase())).toMatchObject({ type: 'observation' });
    const learning = (await memoryOf(instance, await remembered(instance, 'Seen by the entire team'))).id;
    const status = async (id: string, key: string) => (await instance.get(`/memories/${id}`, key)).status;
    expect(await status(prompt, colleague.key)).toBe(404);
    const removal = await instance.delete(`/memories/${prompt}`, colleague.key);
    expectError(removal, 'NOT_FOUND');
    expect(await status(learning, colleague.key)).toBe(200);
    expect(await status(learning, viewer.key)).toBe(200);
    for (const id of [prompt, observation, learning]) expect(await status(id, stranger.key)).toBe(404);
    expect(await status(randomUUID(), instance.admin.key)).toBe(404);
    expectError(await instance.get('/memories/odd'), 'VALIDATION_FAILED', 'id');
    expectError(await instance.get('/memories/by-hash/odd1'), 'VALIDATION_FAILED', 'hash');
    for (const [method, body] of [
      ['PUT', { tags: [] }],
      ['DELETE', undefined],
    ] as const) {
      const answer = await instance.call(method, `/memories/${learning}`, { body, key: stranger.key });
      expectError(answer, 'NOT_FOUND');
    }
  });

  test('is found by its hash in its tenant alone, and an ambiguous one names all that are seen', async () => {
    const hash = await remembered(instance, 'The first of two');
    const first = await memoryOf(instance, hash);
    const byHash = (key = instance.admin.key) => instance.get(`/memories/by-hash/${hash}`, key);
    expect(memorySchema.parse((await byHash()).body).id).toBe(first.id);
    expectError(await byHash(stranger.key), 'NOT_FOUND');
    // A second memory whose id ends in the same 40 bits.
    const second = `${randomUUID().slice(0, -10)}${first.id.slice(-10)}`;
    await instance.write(
      `INSERT INTO learnings (id, tenant_id, user_id, fingerprint, category, title, description, tags, confidence, valid_from)
       SELECT $1::uuid, tenant_id, user_id, sha256('second'::bytea), category, title, 'The second of two', tags, confidence, valid_from FROM learnings WHERE id = $2`,
      [second, first.id],
    );
    const answer = await byHash();
    expectError(answer, 'HASH_AMBIGUOUS', 'hash', 'hash');
    const { details } = z.object({ details: z.array(z.record(z.string(), z.string())) }).parse(answer.body);
    expect(new Map(details.map(({ id, type, preview }) => [id, [type, preview]]))).toEqual(
      new Map([
        [first.id, ['learning', 'The first of two']],
        [second, ['learning', 'The second of two']],
      ]),
    );
    expect((await memoryOf(instance, second)).content).toBe('The second of two');
    const many = await instance.post('/memories/get', { ids: [first.id, hash] });
    expectError(many, 'HASH_AMBIGUOUS', 'ids.1', 'ids.1');
  });

  test('and others are fetched together, by ids and hashes', async () => {
    const hash = await remembered(instance, 'One of several');
    const prompt = await rowId('prompts');
    const unknown = randomUUID();
    const fetched = await instance.post('/memories/get', { ids: [prompt, unknown, hash, 'aaaaaaaa'] });
    expect(fetched.status).toBe(200);
    const { data, missing } = z
      .object({ data: z.array(memorySchema), missing: z.array(z.string()) })
      .parse(fetched.body);
    expect(data.map((memory) => memory.type)).toEqual(['prompt', 'learning']);
    expect(missing).toEqual([unknown, 'aaaaaaaa']);
    const refusedIds = async (ids: unknown) => errorOf(await instance.post('/memories/get', { ids })).fields;
    expect(await refusedIds([])).toEqual(['ids']);
    expect(await refusedIds(Array.from({ length: 101 }, () => unknown))).toEqual(['ids']);
    expect(await refusedIds([unknown, 'odd'])).toEqual(['ids.1']);
  });
});
