import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { fileInstance } from '../../setup/file-instance.ts';
import type { TestUser } from '../../setup/database.ts';
import { until } from '../../setup/until.ts';
import { makeKey } from '../support/access.ts';
import { errorOf, expectError } from '../support/answers.ts';
import { eventsOf, follow, streamsOnTwoApis, untilEvents } from '../support/event-stream.ts';
import type { Followed } from '../support/event-stream.ts';
import { noteEvent, promptEvent } from '../support/events.ts';
import { startSecondApi } from '../support/second-api.ts';

const instance = fileInstance();
const counters = z.object({ first_seq: z.number(), last_seq: z.number() });
const second = streamsOnTwoApis(instance);
const { on } = second;

const capture = async (session: string, n: number, key: string, more: object = {}): Promise<void> => {
  const answer = await instance.post('/events', noteEvent(session, `note ${n}`, { key: `k${n}`, ...more }), key);
  expect(answer.status).toBe(202);
};
const captures = async (session: string, from: number, to: number, key: string): Promise<void> => {
  for (let n = from; n <= to; n += 1) await capture(session, n, key);
};
/** All that a caller may read at this time. */
const stored = async (key: string, after: string, query = '') => {
  const followed = await follow(instance.url, key, `?follow=false&last_event_id=${after}${query}`);
  await followed.ended;
  return eventsOf(followed);
};
const lastId = ({ received }: Followed): string => received.at(-1)?.id ?? '';
/** Positions of a session's rows, as its events name them. */
const seqsOf = (events: readonly { readonly data: unknown }[]): number[] =>
  events.flatMap(({ data }) => {
    const read = counters.safeParse(data).data;
    if (read === undefined) return [];
    return Array.from({ length: read.last_seq - read.first_seq + 1 }, (_, n) => read.first_seq + n);
  });
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);

describe('resuming', () => {
  test('gives each event once and in order, over the end of one process and with events meanwhile', async () => {
    const { key } = await instance.user();
    const other = await startSecondApi(instance);
    const before = await on(other.url, key);
    expect(before.received.map(({ type }) => type)).toEqual(['ready']);
    await captures('resumed', 1, 5, key);
    await until(async () => (seqsOf(eventsOf(before)).length === 5 ? true : undefined));
    const lost = captures('resumed', 6, 55, key);
    const closing = other.close();
    await before.ended;
    await closing;
    await lost;
    const { key: another } = await instance.user();
    await capture('of another', 1, another);
    const after = await on(instance.url, key, '', { 'last-event-id': lastId(before) });
    await captures('resumed', 56, 60, key);
    await until(async () => (seqsOf([...eventsOf(before), ...eventsOf(after)]).length >= 60 ? true : undefined));
    const all = [...eventsOf(before), ...eventsOf(after)];
    expect(seqsOf(all)).toEqual(upTo(60));
    expect(all.map(({ id }) => Number(id))).toEqual(all.map(({ id }) => Number(id)).toSorted((a, b) => a - b));
    // Both processes give the same events the same ids.
    const again = await on(second.url, key, `?last_event_id=${before.received[0]?.id ?? ''}`);
    const ids = all.map(({ id }) => id);
    await untilEvents(again, ids.length);
    expect(eventsOf(again).map(({ id }) => id)).toEqual(ids);
  });

  test('misses none of transactions that commit in another order than they began', async () => {
    const { userId, tenantId, key } = await instance.user();
    const followed = await on(second.url, key);
    const add = (session: string) =>
      `INSERT INTO stream_events (tenant_id, type, user_id, private, session_id) VALUES ('${tenantId}', 'session.updated', '${userId}', true, '${session}')`;
    const [early, late] = [randomUUID(), randomUUID()];
    const client = new pg.Client({ connectionString: instance.db.url('maintenance') });
    await client.connect();
    try {
      await client.query(`BEGIN; ${add(early)}`);
      await instance.write(add(late));
      const [seen] = await untilEvents(followed, 1);
      expect(seen?.session_id).toBe(late);
      await client.query('COMMIT');
      const both = await untilEvents(followed, 2);
      expect(both.map(({ session_id }) => session_id)).toEqual([late, early]);
      expect((await stored(key, seen?.id ?? '')).map(({ session_id }) => session_id)).toEqual([early]);
    } finally {
      await client.end();
    }
  });

  test.each(['1', '9999999999999999'])('begins with a reset after the unknown id %s', async (id) => {
    const { key } = await instance.user();
    const followed = await on(instance.url, key, '', { 'last-event-id': id });
    expect(followed.received.map(({ type }) => type)).toEqual(['reset']);
    await capture('after a reset', 1, key);
    await untilEvents(followed, 1);
  });

  test('begins with a reset once events of the reader were deleted', async () => {
    const { key } = await instance.user();
    const followed = await on(instance.url, key);
    await capture('deleted', 1, key);
    const [first] = await untilEvents(followed, 1);
    await instance.db.maintenance.query("SELECT prune_stream_events('0 seconds', 1000000)");
    const late = await on(instance.url, key, `?last_event_id=${first?.id ?? ''}`);
    expect(late.received[0]?.type).toBe('reset');
    // Streams that had everything continue.
    await capture('deleted', 2, key);
    await untilEvents(late, 1);
  });
});

describe('a reader', () => {
  let owner: TestUser;
  let from: string;
  let keys: Readonly<Record<string, string>>;

  beforeAll(async () => {
    owner = await instance.user();
    const bound = async (bounds: object) => (await makeKey(instance, { user: owner.userId, ...bounds })).api_key;
    for (const project of ['shop', 'bank'])
      await instance.post('/memories', { content: `Known in ${project}`, project }, owner.key);
    keys = {
      owner: owner.key,
      other: (await instance.user()).key,
      viewer: (await instance.user({ role: 'viewer', scopes: ['read'] })).key,
      admin: instance.admin.key,
      stranger: (await instance.stranger()).key,
      namespace: await bound({ namespaces: ['team'] }),
      project: await bound({ projects: ['shop'] }),
    };
    const start = await on(instance.url, instance.admin.key);
    from = lastId(start);
    start.close();
  });

  test('receives live what the policies show it later: private events as owner or admin, all within its bounds', async () => {
    const live = await Promise.all(
      Object.entries(keys).map(async ([name, key]) => [name, await on(second.url, key)] as const),
    );
    await capture('in shop', 1, owner.key, { project: { name: 'shop' }, namespace: 'team' });
    await capture('in bank', 1, owner.key, { project: { name: 'bank' } });
    await instance.post(
      '/events',
      promptEvent('in shop', 'hello', { project: { name: 'shop' }, namespace: 'team' }),
      owner.key,
    );
    await instance.post('/memories', { content: 'A lighthouse', project: 'shop' }, owner.key);
    await instance.post('/memories', { content: 'A secret cave', project: 'bank', visibility: 'private' }, owner.key);
    const all = await stored(instance.admin.key, from);
    const seen = await Promise.all(
      live.map(async ([name, followed]) => {
        const expected = (await stored(keys[name] ?? '', from)).map(({ id }) => id);
        await untilEvents(followed, expected.length);
        const received = eventsOf(followed);
        expect([name, received.map(({ id }) => id)]).toEqual([name, expected]);
        return [name, received.map(({ type }) => type)] as const;
      }),
    );
    const shared = ['session.created', 'session.created', 'session.updated', 'learning.extracted'];
    const both = [
      'session.created',
      'observation.added',
      'session.created',
      'observation.added',
      'session.updated',
      'learning.extracted',
      'learning.extracted',
    ];
    expect(Object.fromEntries(seen)).toEqual({
      owner: both,
      admin: both,
      other: shared,
      viewer: shared,
      stranger: [],
      namespace: ['session.created', 'observation.added', 'session.updated'],
      project: ['session.created', 'observation.added', 'session.updated', 'learning.extracted'],
    });
    expect(JSON.stringify(all)).not.toMatch(/note 1|hello|lighthouse|cave|in shop/);
    for (const [, followed] of live) followed.close();
  });

  test.each([
    ['a type', '&type=learning.extracted', ['learning.extracted', 'learning.extracted']],
    [
      'two types',
      '&type=session.created,learning.extracted',
      ['session.created', 'session.created', 'learning.extracted', 'learning.extracted'],
    ],
    ['a project', '&project=bank', ['session.created', 'observation.added', 'learning.extracted']],
    ['a session', '&session=test:in%20bank', ['session.created', 'observation.added']],
    ['a session and a type', '&session=test:in%20bank&type=session.created', ['session.created']],
    ['what is nowhere', '&project=bank&type=system.alert', []],
  ])('receives only events of %s', async (_what, query, types) => {
    expect((await stored(owner.key, from, query)).map(({ type }) => type)).toEqual(types);
    const live = await on(instance.url, owner.key, `?last_event_id=${from}${query}`);
    await untilEvents(live, types.length);
    expect(eventsOf(live).map(({ type }) => type)).toEqual(types);
    live.close();
  });

  test('is refused for an unknown project, session, type or id, and by HEAD', async () => {
    const path = '/stream/events?follow=false';
    expectError(await instance.get(`${path}&project=nowhere`), 'NOT_FOUND');
    expectError(await instance.get(`${path}&session=unknown`), 'NOT_FOUND');
    for (const [query, field] of [
      ['type=odd', 'type'],
      ['last_event_id=odd', 'last_event_id'],
      ['last_event_id=12345678901234567', 'last_event_id'],
      [`project=${'x'.repeat(2_049)}`, 'project'],
      [`session=${'x'.repeat(513)}`, 'session'],
    ]) {
      const answer = await instance.get(`${path}&${query ?? ''}`);
      expect([query, answer.status, errorOf(answer).fields]).toEqual([query, 422, [field]]);
    }
    const odd = await instance.call('GET', path, { headers: { 'last-event-id': 'odd' } });
    expect(odd.status).toBe(422);
    const head = { method: 'HEAD', headers: { authorization: `Bearer ${owner.key}` } };
    expect((await fetch(`${instance.url}/api/v1${path}`, head)).status).toBe(405);
  });

  test('receives the security headers, and no cache or proxy retains what it reads', async () => {
    const { headers } = await on(instance.url, owner.key);
    expect(Object.fromEntries(headers)).toMatchObject({
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.any(String),
      'x-request-id': expect.any(String),
    });
  });
});
