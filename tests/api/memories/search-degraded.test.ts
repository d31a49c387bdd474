import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { searchAnswer } from '../../../contract/search.ts';
import { writeTinyCrossEncoder } from '../../models/reranking/tiny-cross-encoder.ts';
import type { ApiAnswer } from '../../setup/instance.ts';
import { consumed } from '../support/indexed.ts';
import { closedPort } from '../support/closed-port.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { until } from '../../setup/until.ts';
import { promptEvent } from '../support/events.ts';
import { noteEvent } from '../support/events.ts';

const rerankerDir = mkdtempSync(join(tmpdir(), 'recollect-reranker-'));
const MOST_WINDMILLS = 'windmill, windmill, windmill: all good';

// Runs last, after the instance is closed.
afterAll(() => rmSync(rerankerDir, { recursive: true, force: true }));
const instance = fileInstance({
  RECOLLECT_WEAVIATE_URL: `http://127.0.0.1:${await closedPort()}`,
  RECOLLECT_WEAVIATE_GRPC_PORT: String(await closedPort()),
  RECOLLECT_RERANKER_DIR: rerankerDir,
  RECOLLECT_RERANK_TIMEOUT_MS: '5000',
  // One test awaits it.
  RECOLLECT_SEARCH_RETRIEVER_TIMEOUT_MS: '4000',
});

beforeAll(async () => {
  await instance.startWorker();
  const prompt = (content: string) => promptEvent('s', content, { infer: false });
  const note = (text: string) => noteEvent('s', text, { infer: false, tags: [] });
  await instance.post('/events/batch', [
    ...[
      'lighthouse lighthouse report bad bad',
      'the report of a lighthouse is good',
      'lighthouse keeper, 灯塔的看守人',
      MOST_WINDMILLS,
    ].map(prompt),
    // More than are reread, and than one way of recall gives, of a type that PostgreSQL gives before prompts.
    ...Array.from({ length: 85 }, (_, n) => note(`note ${n} that names a windmill among much else`)),
  ]);
  await consumed(instance);
});

async function search(query: string) {
  const answer: ApiAnswer = await instance.get(`/search?${query}`);
  return searchAnswer.parse(answer.body);
}

describe('with Weaviate unavailable and no cross-encoder', () => {
  test('PostgreSQL searches by keyword, phrases and fields apply, and the response lists what was missing', async () => {
    const plain = await search('q=lighthouse');
    expect(plain.data).toHaveLength(3);
    expect(plain.degraded.toSorted()).toEqual(['rerank', 'vector']);
    expect((await search(`q=${encodeURIComponent('"lighthouse is good"')}`)).data).toHaveLength(1);
    expect((await search('q=lighthouse+type:observation')).data).toEqual([]);
    expect((await search('q=lighthouse&as_of=2001-01-01T00:00:00Z')).data).toEqual([]);
    const chinese = await search(`q=${encodeURIComponent('看守人')}`);
    expect(chinese.data.map((memory) => memory.content)).toEqual(['lighthouse keeper, 灯塔的看守人']);
    const vectors = await search('q=lighthouse&include_vectors=true');
    expect(vectors.data[0]).toMatchObject({ vector: null });
  });

  test('a query that shares few words with any memory is refused; the nearest are returned on request', async () => {
    const q = 'zebra+quantum+cooking+report';
    expect(await search(`q=${q}`)).toMatchObject({ data: [], nothing_fits: true, degraded: ['vector', 'rerank'] });
    const nearest = await search(`q=${q}&nearest=true`);
    expect(nearest.data.map(({ content }) => content).join()).toContain('report');
    expect(await search('q=good+lighthouse+report')).toMatchObject({ nothing_fits: false });
  });

  test('a compact response reports it, too, and nothing else', async () => {
    const { body } = await instance.get('/search?q=lighthouse&format=compact&limit=1');
    expect(body).toEqual({ data: [expect.any(Object)], degraded: ['vector', 'rerank'] });
  });

  test('memories without a vector are omitted, and this is reported, when PostgreSQL is too slow to search them', async () => {
    const other = await instance.db.maintenance.connect();
    try {
      await other.query('BEGIN; LOCK TABLE embeddings IN ACCESS EXCLUSIVE MODE');
      const slow = await search('q=lighthouse');
      expect(slow.data).toHaveLength(3);
      expect(slow.degraded).toContain('keyword');
    } finally {
      await other.query('ROLLBACK');
      other.release();
    }
    expect((await search('q=lighthouse')).degraded).not.toContain('keyword');
  });

  test('pages are cut from one order', async () => {
    const pages = await Promise.all([0, 20, 40].map((offset) => search(`q=windmill&offset=${offset}`)));
    expect(new Set(pages.map(({ pagination }) => pagination.total)).size).toBe(1);
    expect(new Set(pages.flatMap(({ data }) => data.map(({ id }) => id))).size).toBe(60);
  });

  test('meaning alone falls back to words; a vector alone finds nothing', async () => {
    const words = await instance.post('/search/semantic', { q: 'lighthouse' });
    expect(searchAnswer.parse(words.body)).toMatchObject({ degraded: expect.arrayContaining(['vector']) });
    expect(searchAnswer.parse(words.body).data).toHaveLength(3);
    const vector = await instance.post('/search/semantic', { vector: Array(384).fill(0.1) });
    expect(vector.body).toMatchObject({ data: [], degraded: ['vector'] });
  });
});

describe('once a cross-encoder is installed', () => {
  test('it rereads the best candidates', async () => {
    await writeTinyCrossEncoder(rerankerDir);
    // On a busy machine the model may be loaded too late for the first query.
    const reread = await until(async () => {
      const found = await search('q=lighthouse+report&explain=true');
      return found.degraded.includes('rerank') ? undefined : found;
    });
    expect(reread.degraded).toEqual(['vector']);
    expect(reread.data.map((memory) => memory.content)[0]).toBe('the report of a lighthouse is good');
    expect(reread.data[0]).toMatchObject({ explain: { rerank: { rank: 1, score: expect.closeTo(0.88, 2) } } });
    expect(reread.data.at(-1)?.content).toBe('lighthouse lighthouse report bad bad');
  });

  test('the best are those of fusion, whatever table they come from', async () => {
    const { data } = await search('q=windmill&explain=true&limit=50');
    expect(data).toHaveLength(50);
    expect(data[0]).toMatchObject({ content: MOST_WINDMILLS, explain: { fused: { rank: 1 }, rerank: { rank: 1 } } });
  });
});
