import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { fileInstance } from '../../setup/file-instance.ts';
import { errorOf } from '../support/answers.ts';

const instance = fileInstance();
const long = (chars: number) => 'x'.repeat(chars + 1);

/** A cursor with a time that PostgreSQL does not know. */
const badPlace = Buffer.from(
  JSON.stringify(['feed', { side: 'older', at: '2026-13-01T00:00:00Z', id: randomUUID(), n: 1 }]),
).toString('base64url');

/** Queries that a route refuses, with the field that the refusal names. */
const REFUSED: readonly (readonly [path: string, field: string, ...queries: string[]])[] = [
  ['/sessions', 'limit', 'limit=0', 'limit=101', 'limit=ten'],
  ['/sessions', 'page', 'page=0', 'page=1.5', 'page=1&page=2'],
  ['/sessions', 'status', 'status=deleted', 'status='],
  ['/sessions', 'search', 'search=', `search=${long(200)}`],
  ['/sessions', 'sort', 'sort=odd'],
  ['/sessions', 'phase', 'phase=odd'],
  ['/sessions', 'cursor', 'cursor=odd'],
  ['/sessions', '', 'unknown=1'],
  ['/sessions/odd/prompts', 'around', 'around=-1', 'around=2147483648', 'around=x'],
  ['/sessions/odd/observations', 'cursor', 'cursor=odd', `cursor=${long(512)}`],
  ['/sessions/odd/windows', 'state', 'state=odd'],
  ['/sessions/odd/windows', 'cursor', 'cursor=odd'],
  ['/learnings', 'limit', 'limit=0', 'limit=101'],
  ['/learnings', 'page', 'page=0'],
  ['/learnings', 'sort', 'sort=odd'],
  ['/learnings', 'category', 'category=odd'],
  ['/learnings', 'verified', 'verified=perhaps'],
  ['/learnings', 'as_of', 'as_of=yesterday'],
  ['/learnings', 'include_closed', 'as_of=2026-01-01T00:00:00Z&include_closed=true'],
  ['/learnings', 'q', `q=${long(500)}`],
  ['/learnings', 'tag', `tag=${long(64)}`],
  ['/learnings', 'cursor', 'cursor=odd', 'cursor=%20'],
  ['/feed', 'type', 'type=odd'],
  ['/feed', 'cursor', 'cursor=odd', `cursor=${badPlace}`],
  ['/feed', 'since', 'since=yesterday'],
  ['/feed', 'limit', 'limit=0', 'limit=101'],
  ['/feed', 'session', 'session=', `session=${long(512)}`],
  ['/feed', '', 'odd=1'],
  ['/feed/density', 'bucket', 'bucket=odd', 'bucket=0', 'bucket=1001'],
  [
    '/feed/density',
    'since',
    'since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z',
    'bucket=hour&since=2020-01-01T00:00:00Z',
  ],
  ['/contexts', 'purpose', 'purpose=odd'],
  ['/contexts', 'cursor', 'cursor=odd'],
  ['/contexts', 'project', 'project='],
  ['/graph', 'node', 'node=odd'],
  ['/graph', 'depth', 'depth=0', 'depth=3'],
  ['/graph', 'limit', 'limit=0', 'limit=201'],
  ['/graph', 'type', 'type=odd'],
  ['/graph', 'q', `q=${long(200)}`, 'q=', `node=${randomUUID()}&q=x`],
  ['/timeline', 'anchor', '', 'anchor=aaaaaaaa&q=x', 'anchor=odd'],
  ['/timeline', 'before', 'q=x&before=51'],
  ['/timeline', 'after', 'q=x&after=-1'],
  ['/timeline', 'types', 'q=x&types=odd'],
  ['/timeline', 'format', 'q=x&format=odd'],
  ['/timeline', 'namespace', 'q=x&namespace='],
  ['/timeline', 'q', `q=${long(500)}`],
  ['/search', 'q', 'q=', `q=${long(500)}`],
  ['/search', 'limit', 'q=a&limit=51'],
  ['/search', 'offset', 'q=a&offset=101'],
  ['/search', 'format', 'q=a&format=short'],
  ['/search', 'as_of', 'q=a&as_of=yesterday'],
  ['/search', 'type', 'q=a&type=cat'],
  ['/search', 'min_score', 'q=a&min_score=2'],
  ['/search', 'include_vectors', 'q=a&include_vectors=maybe'],
  ['/search/suggest', 'q', 'q=a', `q=${long(100)}`],
  ['/search/suggest', 'limit', 'q=ab&limit=21'],
  ['/search/suggest', '', 'q=ab&kind=tag'],
  ['/usage', 'group_by', 'group_by=odd'],
  ['/usage', 'limit', 'limit=401'],
  ['/usage', 'since', 'since=yesterday', 'since=2100-01-01T00:00:00Z', 'since=2020-01-01T00:00:00Z'],
  ['/usage', 'since', 'since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z'],
  ['/usage', 'until', 'until=1960-01-01T00:00:00Z'],
  ['/usage/forecast', 'days', 'days=91', 'days=0'],
  ['/usage/forecast', 'user', 'user='],
  ['/roi', 'hourly_usd', 'hourly_usd=-1'],
  ['/roi', 'minutes_per_memory', 'minutes_per_memory=1441'],
  ['/roi', 'usd_per_mtok', 'usd_per_mtok=much'],
  ['/jobs', 'cursor', 'cursor=bm90aGluZw', 'cursor=%27%20OR%201=1', 'cursor=s.00000000-0000-0000-0000-00000000000g'],
  ['/jobs', 'state', 'state=odd'],
  ['/jobs', 'kind', 'kind=odd'],
  ['/jobs', 'limit', 'limit=0', 'limit=101', 'limit=x'],
  ['/trace', 'key', '', 'key=', `key=${long(512)}`],
  ['/trace', '', 'key=a&odd=1'],
  ['/profile', 'user', `user=${long(256)}`],
  ['/profile', 'project', 'project='],
];

test.each(REFUSED)('%s refuses queries and names the field: %s', async (path, field, ...queries) => {
  for (const query of queries) {
    const { code, fields } = errorOf(await instance.get(`${path}?${query}`));
    // An element of a list is named by its place.
    expect([query, code, ...fields.map((name) => name.split('.')[0])]).toEqual([query, 'VALIDATION_FAILED', field]);
  }
});
