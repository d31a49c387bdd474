import { describe, expect, test } from 'vitest';
import { RecollectClient, RecollectError } from '../../client/index.ts';
import type { Memory } from '../../client/index.ts';
import { scriptedServer } from './support/scripted-server.ts';

const TOTAL = 45;
const memory = (n: number) => ({ id: `id-${n}` });

/** Answers a search by page, as the API does. */
async function pagedServer(total = TOTAL, moved = 0) {
  return scriptedServer(({ url }) => {
    const query = new URL(url, 'http://x').searchParams;
    const [limit, offset] = [Number(query.get('limit')), Number(query.get('offset'))];
    const from = offset === 0 ? 0 : offset - moved;
    const data = Array.from({ length: Math.min(limit, Math.max(0, total - from)) }, (_, index) => memory(from + index));
    return { status: 200, body: { data, pagination: { has_next: offset + limit < total } } };
  });
}

const clientOf = (url: string) =>
  new RecollectClient({ url: `${url}/`, apiKey: 'key-of-a-test', headers: { 'x-a': 'b' } });

describe('searchIter', () => {
  test('gives everything, a page at a time', async () => {
    const server = await pagedServer();
    const ids: string[] = [];
    for await (const found of clientOf(server.url).searchIter('x', { type: 'learning' })) ids.push(found.id);
    expect(ids).toEqual(Array.from({ length: TOTAL }, (_, n) => `id-${n}`));
    expect(server.seen.map(({ url }) => url)).toEqual(
      [0, 20, 40].map((offset) => `/api/v1/search?q=x&type=learning&limit=20&offset=${offset}`),
    );
  });

  test('fetches only what is consumed', async () => {
    const server = await pagedServer();
    const found = clientOf(server.url).searchIter('x', { limit: 2 });
    expect(server.seen).toHaveLength(0);
    const first = [await found.next(), await found.next()].map(({ value }) => (value as Memory).id);
    expect([first, server.seen.length]).toEqual([['id-0', 'id-1'], 1]);
    await found.next();
    expect(server.seen).toHaveLength(2);
    await found.return();
    expect(await found.next()).toMatchObject({ done: true });
    for await (const one of clientOf(server.url).searchIter('y', { limit: 2 })) if (one.id === 'id-1') break;
    expect(server.seen).toHaveLength(3);
  });

  test('gives nothing twice when something was written meanwhile', async () => {
    const server = await pagedServer(9, 1);
    const ids: string[] = [];
    for await (const found of clientOf(server.url).searchIter('x', { limit: 3 })) ids.push(found.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.at(-1)).toBe('id-7');
  });

  test('ends where a search can be paged no further', async () => {
    const server = await pagedServer(5_000);
    let count = 0;
    for await (const _ of clientOf(server.url).searchIter('x', { limit: 50 })) count += 1;
    expect([count, server.seen.length]).toEqual([100, 2]);
  });

  test('is ended by a signal, between pages too', async () => {
    const server = await pagedServer();
    const controller = new AbortController();
    const found = clientOf(server.url).searchIter('x', { limit: 1 }, { signal: controller.signal });
    await found.next();
    controller.abort();
    await expect(found.next()).rejects.toMatchObject({ code: 'ABORTED' });
    expect(server.seen).toHaveLength(1);
  });
});

describe('each method calls its route', () => {
  const answers: Readonly<Record<string, unknown>> = {
    data: [{ text: 'a' }],
    hash: 'abcdefgh',
    items: [],
    pagination: {},
  };

  test.each<[string, (client: RecollectClient) => Promise<unknown>, string, unknown]>([
    [
      'search',
      (c) => c.search('a b', { tags: ['x', 'y'], explain: true }),
      'GET /search?q=a+b&tags=x%2Cy&explain=true',
      undefined,
    ],
    ['searchByTag', (c) => c.searchByTag(['x', 'y']), 'GET /search?q=x+y&nearest=true&tags=x%2Cy', undefined],
    [
      'searchByTag of a field-like tag',
      (c) => c.searchByTag('kind:runbook'),
      'GET /search?q=kind+runbook&nearest=true&tags=kind%3Arunbook',
      undefined,
    ],
    ['search with lists of nothing', (c) => c.search('a', { tags: [], type: [] }), 'GET /search?q=a', undefined],
    [
      'searchByTag with words',
      (c) => c.searchByTag('x', { q: 'why' }),
      'GET /search?q=why&nearest=true&tags=x',
      undefined,
    ],
    ['recall', (c) => c.recall('a'), 'GET /search?q=a&limit=5&format=compact', undefined],
    [
      'searchSemantic',
      (c) => c.searchSemantic({ vector: [0, 1], type: 'learning' }),
      'POST /search/semantic',
      { vector: [0, 1], type: ['learning'] },
    ],
    ['suggest', (c) => c.suggest('mo', 3), 'GET /search/suggest?q=mo&limit=3', undefined],
    [
      'timeline',
      (c) => c.timeline({ anchor: 'abcdefgh', before: 0, types: ['prompt'] }),
      'GET /timeline?anchor=abcdefgh&before=0&types=prompt',
      undefined,
    ],
    ['get', (c) => c.get('a/b', { used_in: '2' }), 'GET /memories/a%2Fb?used_in=2', undefined],
    ['getByHash', (c) => c.getByHash('abcdefgh'), 'GET /memories/by-hash/abcdefgh', undefined],
    ['getMany', (c) => c.getMany(['1'], { used_in: '2' }), 'POST /memories/get', { ids: ['1'], used_in: '2' }],
    ['store', (c) => c.store({ content: 'x', tags: ['y'] }), 'POST /memories', { content: 'x', tags: ['y'] }],
    ['update', (c) => c.update('1', { content: 'y' }), 'PUT /memories/1', { content: 'y' }],
    ['remove', (c) => c.remove('1'), 'DELETE /memories/1', undefined],
    ['remove', (c) => c.remove('1', { with_sources: true }), 'DELETE /memories/1?with_sources=true', undefined],
    ['health', (c) => c.health(), 'GET /health', undefined],
    [
      'context',
      (c) => c.context({ purpose: 'file', file: 'a.ts' }),
      'POST /context',
      { purpose: 'file', file: 'a.ts' },
    ],
  ])('%s', async (_name, call, route, body) => {
    const server = await scriptedServer([{ status: 200, body: answers }]);
    await call(clientOf(server.url));
    const [seen] = server.seen;
    expect(`${seen?.method} ${seen?.url.replace('/api/v1', '')}`).toBe(route);
    expect(seen?.body).toEqual(body);
    expect(seen?.headers).toMatchObject({
      authorization: 'Bearer key-of-a-test',
      accept: 'application/json',
      'x-a': 'b',
    });
    expect('content-type' in (seen?.headers ?? {})).toBe(body !== undefined);
  });

  test('an answer without a body is one', async () => {
    const server = await scriptedServer([{ status: 204, body: '' }]);
    expect(await clientOf(server.url).remove('1')).toEqual({});
  });

  test('a batch goes in parts, and is one list again', async () => {
    const server = await scriptedServer(({ body }) => {
      const { memories } = body as { memories: { content: string }[] };
      return {
        status: 200,
        body: { items: memories.map(({ content }, index) => ({ index, status: 'stored', hash: content.slice(0, 8) })) },
      };
    });
    const many = [
      ...Array.from({ length: 1_001 }, (_, n) => `${n}`),
      'x'.repeat(600_000),
      { content: 'y'.repeat(600_000) },
    ];
    const items = await clientOf(server.url).storeBatch(many);
    expect(server.seen.map(({ body }) => (body as { memories: unknown[] }).memories.length)).toEqual([1_000, 2, 1]);
    expect(items.map(({ index }) => index)).toEqual(many.map((_, index) => index));
    expect(items.slice(-3).map(({ hash }) => hash)).toEqual(['1000', 'xxxxxxxx', 'yyyyyyyy']);
    await clientOf(server.url).storeBatch(Array.from({ length: 201 }, (_, n) => ({ content: `${n}`, infer: true })));
    expect(server.seen.slice(3).map(({ body }) => (body as { memories: unknown[] }).memories.length)).toEqual([
      100, 100, 1,
    ]);
    expect(await clientOf(server.url).storeBatch([])).toEqual([]);
  });

  test('a batch that fails in the middle reports what was stored before', async () => {
    const answers = [
      { status: 200, body: { items: Array.from({ length: 1_000 }, (_, index) => ({ index, status: 'stored' })) } },
      { status: 500, body: { error: 'went wrong', code: 'INTERNAL', details: [] } },
    ];
    const server = await scriptedServer(answers);
    const failed: unknown = await clientOf(server.url)
      .storeBatch(Array.from({ length: 1_002 }, (_, n) => `${n}`))
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(RecollectError);
    expect(failed).toMatchObject({ status: 500, code: 'INTERNAL', message: expect.stringContaining('went wrong') });
    expect((failed as RecollectError).items).toHaveLength(1_000);
    expect((failed as RecollectError).items.at(-1)).toEqual({ index: 999, status: 'stored' });
  });
});
