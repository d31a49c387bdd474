import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { searchAnswer } from '../../../contract/search.ts';
import { indexed } from '../support/indexed.ts';
import { expectError } from '../support/answers.ts';
import { fileInstance } from '../../setup/file-instance.ts';

const DAY_MS = 86_400_000;
const instance = fileInstance();
let stopWorker: () => Promise<void>;

const ago = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString();

interface Row {
  readonly session: string;
  readonly content: string;
  readonly at?: string;
  readonly tool?: string;
  readonly file?: string;
  readonly tags?: readonly string[];
}

async function remember(rows: readonly Row[], key = instance.admin.key): Promise<void> {
  const body = rows.map(({ session, content, at, tool, file, tags }) => ({
    type: tool === undefined && tags === undefined ? 'prompt' : 'observation',
    host: 'test',
    session_id: session,
    project: { name: session.split('-')[0] },
    infer: false,
    ...(at === undefined ? {} : { occurred_at: at }),
    ...(tags === undefined ? {} : { text: content, tags }),
    ...(tool === undefined ? {} : { tool: { name: tool, input: { file_path: file ?? '/x' }, response: content } }),
    ...(tool === undefined && tags === undefined ? { role: 'user', content } : {}),
  }));
  const answer = await instance.post('/events/batch', body, key);
  expect(answer.body).toMatchObject({ accepted: rows.length });
}

async function search(parameters: Record<string, string>, key?: string) {
  const answer = await instance.get(`/search?${new URLSearchParams(parameters).toString()}`, key ?? instance.admin.key);
  expect(answer.status).toBe(200);
  return answer.body;
}

/** Texts that a question finds, best first. */
async function find(q: string, more: Record<string, string> = {}): Promise<string[]> {
  return searchAnswer.parse(await search({ q, ...more })).data.map((memory) => memory.content);
}

const FAILED = 'The deploy to staging failed with ETIMEDOUT while pushing the image';
const OLDER = 'The deploy to staging failed because the disk was full';
const CHINESE = '我们决定把数据库迁移到新的服务器，因为旧的磁盘太慢';

beforeAll(async () => {
  stopWorker = await instance.startWorker();
  await remember([
    { session: 'shop-1', content: OLDER, at: ago(40) },
    { session: 'shop-1', content: 'Prices are kept in integer cents, never in floats', at: ago(40) },
    { session: 'shop-2', content: FAILED, at: ago(1) },
    { session: 'shop-2', content: 'image pushed to the registry', tool: 'Bash', at: ago(1) },
    {
      session: 'shop-2',
      content: 'export const cents = 1',
      tool: 'Edit',
      file: '/src/shop/money/cents.ts',
      at: ago(1),
    },
    {
      session: 'blog-1',
      content: 'The cache of the blog is purged after a deploy',
      tags: ['cache', 'ops'],
      at: ago(5),
    },
    { session: 'blog-1', content: CHINESE, at: ago(5) },
    { session: 'shop-1', content: 'How are turnips stored in winter?', at: ago(5) },
    { session: 'shop-1', content: 'Turnips stay in boxes of sand in the cellar, unwashed', at: ago(5) },
  ]);
  await instance.write(
    `INSERT INTO learnings (id, tenant_id, user_id, fingerprint, category, title, description, confidence, tags, valid_from, valid_to)
     VALUES (uuidv7(), $1, $2, '\\x01', 'general', 'Deploys are made by hand', 'Deploys to staging are made by hand', 0.8, '{}', '2025-01-01Z', '2025-06-01Z')`,
    [instance.admin.tenantId, instance.admin.userId],
  );
  await indexed(instance);
});

describe('the query language', () => {
  test('a phrase must match word for word', async () => {
    expect((await find('why did the deploy fail')).length).toBeGreaterThan(2);
    expect(await find('why did the deploy fail "disk was  FULL"')).toEqual([OLDER]);
    expect(await find('"failed disk"')).toEqual([]);
    expect(await find('"数据库迁移"')).toEqual([CHINESE]);
  });

  test('an answer ranks before an earlier question with the same words', async () => {
    const found = await find('how are turnips stored in winter');
    expect(found.slice(0, 2).map((content) => content.slice(0, 7))).toEqual(['Turnips', 'How are']);
  });

  test('fields filter, unknown ones are words', async () => {
    expect(await find('deploy project:blog tag:ops')).toEqual(['The cache of the blog is purged after a deploy']);
    expect(await find('image tool:Bash')).toEqual([expect.stringContaining('image pushed')]);
    expect(await find('file:money/cents.ts')).toEqual([expect.stringContaining('cents.ts')]);
    expect(await find('deploy since:2000-01-01 before:2001-01-01')).toEqual([]);
    expect(await find('deploy project:unknown')).toEqual([]);
    expect(await find('deploy type:summary', { type: 'prompt' })).toEqual([]);
    expect((await find('deploy type:prompt', { type: 'prompt,observation' })).length).toBeGreaterThan(1);
    expect((await find('foo:bar deploy')).length).toBeGreaterThan(2);
  });

  test('what happened at the time that is spoken of comes first, and the rest stays', async () => {
    const yesterday = searchAnswer.parse(
      await search({ q: 'the deploy to staging failed yesterday', explain: 'true' }),
    );
    expect(yesterday.data[0]).toMatchObject({ content: FAILED, explain: { in_time_range: true } });
    expect(yesterday.data.map(({ content }) => content)).toContain(OLDER);
    expect(yesterday.explain).toMatchObject({ understood: { time: { words: ['yesterday'] }, language: 'en' } });
    expect(await find('上周 数据库迁移')).toContain(CHINESE);
    const [first] = await find('what happened 40 days ago');
    expect([OLDER, 'Prices are kept in integer cents, never in floats']).toContain(first);
  });

  test('"last week" is the week before the time of the query', async () => {
    const then = searchAnswer.parse(await search({ q: 'deploy yesterday', as_of: ago(39), explain: 'true' }));
    expect(then.data[0]).toMatchObject({ content: OLDER, explain: { in_time_range: true } });
  });

  test('a question for the newest, and one of fields alone, are answered by age', async () => {
    const newest = searchAnswer.parse(await search({ q: 'latest deploy', explain: 'true' }));
    expect(newest.data[0]?.content).toBe(FAILED);
    const alone = searchAnswer.parse(await search({ q: 'what was the last thing we did?', explain: 'true' }));
    expect(alone.explain?.stages.map(({ stage }) => stage)).toContain('recency');
    expect((await find('type:prompt project:shop'))[0]).toBe(FAILED);
  });
});

describe('as of a time', () => {
  test('nothing later is shown, and learnings as they were believed', async () => {
    const then = searchAnswer.parse(
      await search({ q: 'are deploys to staging made by hand', as_of: '2025-03-01T00:00:00Z' }),
    );
    expect(then.data.map((memory) => [memory.type, memory.content])).toEqual([
      ['learning', 'Deploys to staging are made by hand'],
    ]);
    expect(await find('are deploys to staging made by hand', { as_of: '2025-07-01T00:00:00Z' })).toEqual([]);
    const now = searchAnswer.parse(await search({ q: 'are deploys to staging made by hand' }));
    expect(now.data.map((memory) => memory.type)).not.toContain('learning');
  });
});

describe('a query about nothing that is known', () => {
  const UNKNOWN = 'zebra quantum cooking';

  test('returns nothing and reports it, in English and Chinese; the nearest memories on request, with low scores', async () => {
    for (const q of [UNKNOWN, '红烧肉怎么做才不腻？']) {
      expect(await search({ q })).toMatchObject({ data: [], nothing_fits: true, pagination: { total: 0 } });
      expect(await search({ q, format: 'compact' })).toEqual({ data: [], nothing_fits: true });
      const nearest = searchAnswer.parse(await search({ q, nearest: 'true' }));
      expect(nearest).toMatchObject({ nothing_fits: true });
      expect(nearest.data.length).toBeGreaterThan(2);
      for (const { score } of nearest.data) expect(score).toBeLessThan(0.3);
    }
    const { body } = await instance.post('/search/semantic', { q: UNKNOWN });
    expect(searchAnswer.parse(body).data.length).toBeGreaterThan(2);
    const timeline = await instance.get(`/timeline?q=${encodeURIComponent(UNKNOWN)}`);
    expect(timeline.body).toMatchObject({ anchor: null, data: [] });
  });

  test('differs from one about what is known, whose scores never rise, from page to page', async () => {
    for (const q of ['why did the deploy to staging fail?', '数据库为什么迁移？', 'latest deploy', 'yesterday']) {
      const pages = await Promise.all(
        ['0', '3'].map(async (offset) => searchAnswer.parse(await search({ q, limit: '3', offset }))),
      );
      expect(pages[0]).toMatchObject({ nothing_fits: false });
      const scores = pages.flatMap(({ data }) => data.map(({ score }) => score));
      expect(scores[0]).toBeGreaterThan(0.5);
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    }
    expect(await search({ q: `"${UNKNOWN}"` })).toMatchObject({ data: [], nothing_fits: false });
    expect(searchAnswer.parse(await search({ q: 'type:prompt' }))).toMatchObject({ nothing_fits: false });
  });
});

describe('contents of a response', () => {
  test('compact: five results within 385 tokens, and nothing else', async () => {
    const body = await search({ q: 'deploy', format: 'compact', limit: '5' });
    const { data } = z.strictObject({ data: z.array(z.record(z.string(), z.unknown())) }).parse(body);
    expect(data).toHaveLength(5);
    for (const memory of data) expect(Object.keys(memory)).toEqual(['hash', 'preview', 'tags', 'created', 'score']);
    expect(JSON.stringify(body).length / 3).toBeLessThan(385);
  });

  test('vectors if requested, and every stage with `explain`', async () => {
    const body = z
      .looseObject({ data: z.array(z.looseObject({ vector: z.array(z.number()), explain: z.unknown() })) })
      .parse(await search({ q: 'deploy', include_vectors: 'true', explain: 'true', limit: '2' }));
    for (const { vector } of body.data) expect(vector).toHaveLength(384);
    const stage = { score: expect.any(Number), rank: expect.any(Number) };
    expect(body.data[0]?.explain).toMatchObject({
      keyword: stage,
      vector: stage,
      parts: { retrievers: expect.any(Number), kind: expect.any(Number), session: expect.any(Number) },
      fused: stage,
      rerank: null,
      scored: stage,
      in_time_range: null,
    });
    const stages = searchAnswer.parse(body).explain?.stages.map(({ stage }) => stage);
    for (const each of [
      'understand',
      'embed',
      'keyword',
      'vector',
      'unindexed',
      'recall',
      'fuse',
      'inspect',
      'score',
      'read',
    ])
      expect(stages).toContain(each);
    expect(JSON.stringify(await search({ q: 'deploy' }))).not.toMatch(/"vector"|"explain"/);
  });

  test('marked words in any script, facets, groups, pages and a least score', async () => {
    const { data: marked } = searchAnswer.parse(await search({ q: '数据库迁移 type:prompt' }));
    const words = marked.flatMap((memory) =>
      memory.highlights.map(({ field, start, end }) => memory[field].slice(start, end)),
    );
    expect(new Set(words)).toEqual(new Set(['数据库迁移']));
    const all = searchAnswer.parse(await search({ q: 'deploy' }));
    expect(all.facets).toMatchObject({ type: { prompt: expect.any(Number) }, tag: { ops: 1 }, project: { blog: 2 } });
    const grouped = searchAnswer.parse(await search({ q: 'deploy', group_by: 'session' }));
    expect(grouped.pagination.total).toBe(3);
    const first = await find('deploy', { limit: '2' });
    const second = await find('deploy', { limit: '2', offset: '2' });
    expect(new Set([...first, ...second]).size).toBe(4);
    expect((await find('deploy', { min_score: '0.6' })).length).toBeLessThan(all.data.length);
  });
});

describe('by meaning alone', () => {
  test('of words, and of a vector', async () => {
    const semantic = (body: object) => instance.post('/search/semantic', body);
    const words = searchAnswer.parse((await semantic({ q: 'money representation', type: ['prompt'], limit: 1 })).body);
    expect(words.data[0]?.content).toContain('integer cents');
    const [known] = z
      .looseObject({ data: z.array(z.looseObject({ id: z.string(), vector: z.array(z.number()) })) })
      .parse(await search({ q: OLDER.slice(0, 60), include_vectors: 'true', limit: '1' })).data;
    const near = searchAnswer.parse((await semantic({ vector: known?.vector, limit: 3 })).body);
    expect(near.data[0]?.id).toBe(known?.id);
    expect(near).toMatchObject({ degraded: [] });
    expectError(await semantic({ vector: [1, 2] }), 'VALIDATION_FAILED', 'vector');
    expectError(await semantic({ q: 'a', vector: [1] }), 'VALIDATION_FAILED', 'q');
    expectError(await semantic({}), 'VALIDATION_FAILED', 'q');
  });
});

describe('without a worker', () => {
  test('what was captured a moment ago is found by its words, by those who may see it', async () => {
    await stopWorker();
    const fresh = 'The zeppelin gateway answers 502 since the certificate expired';
    await remember([
      { session: 'shop-3', content: fresh },
      { session: 'shop-3', content: '证书过期导致网关报错' },
    ]);
    expect((await find('why does the zeppelin gateway answer 502?'))[0]).toBe(fresh);
    expect((await find('网关为什么报错'))[0]).toBe('证书过期导致网关报错');
    expect(await find('zeppelin gateway project:blog')).not.toContain(fresh);
    const colleague = await instance.user();
    const stranger = await instance.stranger();
    for (const { key } of [colleague, stranger])
      expect(JSON.stringify(await search({ q: 'zeppelin gateway' }, key))).not.toContain('zeppelin');
  });
});
