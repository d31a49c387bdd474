import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TestUser } from '../../setup/database.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { expectError } from '../support/answers.ts';
import { given, idsOf, listed } from '../support/learnings.ts';
import { fileInstance } from '../../setup/file-instance.ts';

const instance = fileInstance();
let colleague: TestUser;
let stranger: TestUser;
let viewer: TestUser;
/** A prompt of the admin: 'Please make the rounding of invoices half even'. */
let promptId: string;

beforeAll(async () => {
  colleague = await instance.user();
  stranger = await instance.stranger({ role: 'admin' });
  viewer = await instance.user({ role: 'viewer' });
  await captured(instance, smallSession('quoted'));
  promptId = await instance.text(
    "SELECT p.id AS value FROM prompts p JOIN sessions s ON s.id = p.session_id WHERE s.external_id = 'quoted' AND p.type = 'user'",
  );
});

const rejected = (body: unknown, key?: string) => instance.post('/learnings', body, key);

describe('knowledge given by hand', () => {
  test('is stored in the words of the user, with its vectors requested', async () => {
    const learning = await given(instance, 'Invoices are rounded half even', {
      category: 'best_practice',
      tags: ['money', 'money'],
      examples: ['2.5 becomes 2'],
      context: 'Noted in the review',
    });
    expect(learning).toMatchObject({
      origin: 'user',
      confidence: 0.8,
      use_count: 0,
      version: 1,
      verified: false,
      tags: ['money'],
      namespace: 'default',
      evidence: [],
      valid_to: null,
    });
    const wanted = await instance.count("embeddings WHERE resource_id = $1 AND state = 'pending'", [learning.id]);
    expect(wanted).toBe(1);
    expect(await idsOf(instance, 'q=half+even')).toEqual([learning.id]);
  });

  test('quotes rows letter for letter', async () => {
    const evidence = [{ row_id: promptId, quote: 'the rounding of invoices half even' }];
    const learning = await given(instance, 'Rounding was requested by the user', { evidence });
    expect(learning.evidence).toEqual([{ ...evidence[0], session_id: expect.any(String), weight: 1 }]);
    expect(await idsOf(instance, 'session=test:quoted')).toEqual([learning.id]);
  });

  test('is refused where a quote does not stand, and the field is named', async () => {
    const body = (evidence: unknown) => ({ title: 'T', description: 'Something else', evidence });
    const good = { row_id: promptId, quote: 'rounding of invoices' };
    expectError(
      await rejected(body([good, { row_id: promptId, quote: 'Rounding of invoices' }])),
      'VALIDATION_FAILED',
      'evidence.1.quote',
    );
    expectError(
      await rejected(body([{ row_id: randomUUID(), quote: 'rounding' }, good])),
      'VALIDATION_FAILED',
      'evidence.0.row_id',
    );
    expectError(await rejected(body([{ row_id: promptId, quote: ' ' }])), 'VALIDATION_FAILED', 'evidence.0.quote');
    // Another user's prompt is not there for him.
    expectError(await rejected(body([good]), colleague.key), 'VALIDATION_FAILED', 'evidence.0.row_id');
    expectError(await rejected(body([good]), stranger.key), 'VALIDATION_FAILED', 'evidence.0.row_id');
    expect(await idsOf(instance, 'q=Something+else')).toEqual([]);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['no title', { title: '' }, 'title'],
    ['a long title', { title: 'x'.repeat(201) }, 'title'],
    ['a long description', { description: 'x'.repeat(4_001) }, 'description'],
    ['a long context', { context: 'x'.repeat(2_001) }, 'context'],
    ['too many tags', { tags: Array.from({ length: 33 }, (_, n) => `t${n}`) }, 'tags'],
    ['too many examples', { examples: Array.from({ length: 21 }, () => 'x') }, 'examples'],
    ['an unknown category', { category: 'odd' }, 'category'],
    ['an unknown project', { project: 'unknown' }, 'project'],
    ['too much confidence', { confidence: 1.1 }, 'confidence'],
    ['only private words', { description: '<private>a secret</private>' }, 'description'],
  ])('is refused with %s', async (_what, change, field) => {
    const answer = await rejected({ title: 'A title', description: 'A description', ...change });
    expectError(answer, 'VALIDATION_FAILED', field);
  });

  test('loses secrets and private passages before it is stored', async () => {
    const learning = await given(instance, 'The token is ghp_0123456789abcdefABCDEF0123456789abcd here', {
      context: 'open <private>hidden</private> end',
    });
    expect(learning.description).not.toContain('ghp_0123');
    expect(JSON.stringify(learning)).not.toContain('hidden');
  });

  test('that is a duplicate returns the hash of the current one', async () => {
    const known = await given(instance, 'Ports below 1024 need root');
    const answer = await instance.post('/learnings', { title: 'Again', description: 'ports below 1024 NEED root!' });
    expectError(answer, 'CONFLICT', 'description');
    expect(JSON.stringify(answer.body)).toContain(known.hash);
  });

  test('is not for viewers, nor for keys that may only read', async () => {
    const reader = await instance.user({ scopes: ['read'] });
    for (const { key } of [viewer, reader])
      expectError(await rejected({ title: 'T', description: 'D' }, key), 'FORBIDDEN');
  });
});

describe('the list', () => {
  const tag = `list-${randomUUID().slice(0, 8)}`;
  const ids: string[] = [];

  beforeAll(async () => {
    for (const [n, confidence] of [0.3, 0.9, 0.7, 0.7, 0.5].entries())
      ids.push((await given(instance, `Listed fact number ${n} of zinc`, { confidence, tags: [tag] })).id);
    await instance.write('UPDATE learnings SET use_count = 7 WHERE id = $1', [ids[4]]);
    await instance.write('UPDATE learnings SET use_count = 3 WHERE id = $1', [ids[0]]);
  });

  const order = (...places: number[]) => places.map((place) => ids[place]);

  test('is sorted by confidence, recency or popularity', async () => {
    expect(await idsOf(instance, `tag=${tag}`)).toEqual(order(1, 3, 2, 4, 0));
    expect(await idsOf(instance, `tag=${tag}&sort=recency`)).toEqual(order(4, 3, 2, 1, 0));
    expect(await idsOf(instance, `tag=${tag}&sort=popularity`)).toEqual(order(4, 0, 3, 2, 1));
  });

  test.each(['confidence', 'recency', 'popularity'])('is paged by cursor and by page alike: %s', async (sort) => {
    const all = await idsOf(instance, `tag=${tag}&sort=${sort}`);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await listed(instance, `tag=${tag}&sort=${sort}&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      expect(page.pagination).toMatchObject({ total: cursor === '' ? 5 : null, has_prev: cursor !== '' });
      seen.push(...page.data.map((learning) => learning.id));
      cursor = page.pagination.next_cursor;
    }
    expect(seen).toEqual(all);
    expect(await idsOf(instance, `tag=${tag}&sort=${sort}&limit=2&page=2`)).toEqual(all.slice(2, 4));
    expect(await idsOf(instance, `tag=${tag}&sort=${sort}&limit=2&page=9`)).toEqual([]);
    expect((await listed(instance, `tag=${tag}&limit=2&page=9`)).pagination.total).toBe(5);
  });

  test('continues behind its cursor, whatever was added before it', async () => {
    const first = await listed(instance, `tag=${tag}&limit=2`);
    const more = await given(instance, 'Listed fact that came late', { confidence: 1, tags: [tag] });
    const next = await idsOf(instance, `tag=${tag}&limit=2&cursor=${first.pagination.next_cursor}`);
    expect(next).toEqual(order(2, 4));
    await instance.delete(`/learnings/${more.id}`);
  });

  test('is filtered', async () => {
    const other = await given(instance, 'A fact of another namespace', {
      namespace: 'aside',
      category: 'config',
      tags: [tag],
    });
    expect(await idsOf(instance, `tag=${tag}&namespace=aside`)).toEqual([other.id]);
    expect(await idsOf(instance, `tag=${tag}&category=config`)).toEqual([other.id]);
    expect(await idsOf(instance, `tag=${tag}&q=umber+2`)).toEqual(order(2));
    expect(await idsOf(instance, `tag=${tag}&q=%25`)).toEqual([]);
    expect(await idsOf(instance, `tag=${tag}&verified=true`)).toEqual([]);
    await instance.post(`/learnings/${other.id}/verify`, {});
    expect(await idsOf(instance, `tag=${tag}&verified=true`)).toEqual([other.id]);
    expect(await idsOf(instance, `tag=${tag}&project=unknown`)).toEqual([]);
    expect(await idsOf(instance, `tag=${tag}`, { key: stranger.key })).toEqual([]);
  });

  test('refuses the cursor of another order', async () => {
    const { pagination } = await listed(instance, `tag=${tag}&limit=1&sort=recency`);
    const answer = await instance.get(`/learnings?tag=${tag}&cursor=${pagination.next_cursor}`);
    expectError(answer, 'VALIDATION_FAILED', 'cursor');
  });
});

describe('one learning', () => {
  test('is shown with its versions, to its own tenant alone', async () => {
    const learning = await given(instance, 'Caches are cleared at midnight');
    const answer = await instance.get(`/learnings/${learning.id}`, viewer.key);
    expect(answer).toMatchObject({
      status: 200,
      body: { id: learning.id, versions: [{ id: learning.id, version: 1 }] },
    });
    for (const [method, path, body] of [
      ['GET', '', undefined],
      ['PUT', '', { title: 'Mine' }],
      ['DELETE', '', undefined],
      ['POST', '/verify', {}],
      ['POST', '/invalidate', { reason: 'mine' }],
      ['POST', '/supersede', { reason: 'mine', by: randomUUID() }],
    ] as const) {
      const route = `/learnings/${learning.id}${path}`;
      const options = body === undefined ? {} : { body };
      expectError(await instance.call(method, route, { key: stranger.key, ...options }), 'NOT_FOUND');
      const looked = await instance.call(method, route, { key: viewer.key, ...options });
      expect([method, looked.status]).toEqual([method, method === 'GET' ? 200 : 403]);
    }
    expect(await instance.get(`/learnings/${learning.id}`)).toMatchObject({ body: { title: learning.title } });
  });

  test('is not there under an unknown id, and an id that is none is refused', async () => {
    expectError(await instance.get(`/learnings/${randomUUID()}`), 'NOT_FOUND');
    expectError(await instance.get('/learnings/odd'), 'VALIDATION_FAILED', 'id');
  });
});
