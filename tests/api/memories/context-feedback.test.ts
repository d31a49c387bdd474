import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { learningSchema } from '../../../contract/learnings.ts';
import { contextAnswer, contextsAnswer, servedContextDetail } from '../../../contract/context.ts';
import { leastIdAt } from '../../../domain/ids.ts';
import { memoryHash } from '../../../domain/memory.ts';
import { HIDDEN } from '../../../stores/postgres/learnings/learning-list.ts';
import type { TestUser } from '../../setup/database.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { until } from '../../setup/until.ts';
import { given } from '../support/learnings.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { expectError, bodyOf } from '../support/answers.ts';

const PROJECT = '/src/small';
const instance = fileInstance();
let colleague: TestUser;
let ids: string[];

beforeAll(async () => {
  colleague = await instance.user();
  await captured(instance, smallSession('fed'));
  ids = [];
  for (const fact of ['Rounding is half even', 'Tests run with npm test', 'The ledger is append only'])
    ids.push((await given(instance, fact, { project: PROJECT, confidence: 0.8 })).id);
});

async function served(key = instance.admin.key, session?: string) {
  const body = {
    purpose: 'session_start',
    project: PROJECT,
    ...(session === undefined ? {} : { session_id: session }),
  };
  return bodyOf(contextAnswer, await instance.post('/context', body, key));
}

async function servedId(key?: string): Promise<string> {
  const { id } = await served(key);
  if (id === null) throw new Error('nothing was served');
  return id;
}

const feedback = (context: string, body: unknown, key = instance.admin.key) =>
  instance.post(`/context/${context}/feedback`, body, key);

const learning = async (id: string) => learningSchema.parse((await instance.get(`/learnings/${id}`)).body);

const fetched = async (id: string, context: string, key = instance.admin.key) => {
  return bodyOf(learningSchema, await instance.get(`/learnings/${id}?used_in=${context}`, key));
};

const idAt = (place: number): string => ids[place] ?? '';

describe('what was served', () => {
  test('is recorded by id alone, with user and purpose; serving adds no use', async () => {
    const session = await instance.value<string>("SELECT id AS value FROM sessions WHERE external_id = 'fed'");
    const { id, items } = await served(colleague.key, session);
    expect(items.map((item) => item.id).toSorted()).toEqual(ids.toSorted());
    const rows = await instance.rows('SELECT * FROM contexts WHERE id = $1', [id]);
    expect(rows).toEqual([
      expect.objectContaining({
        tenant_id: colleague.tenantId,
        user_id: colleague.userId,
        session_id: session,
        purpose: 'session_start',
        item_ids: items.map((item) => item.id),
        item_types: ['learning', 'learning', 'learning'],
      }),
    ]);
    for (let n = 0; n < 3; n += 1) await served();
    for (const each of ids)
      expect(await learning(each)).toMatchObject({ use_count: 0, use_weight: 0, confidence: 0.8 });
  });

  test('has no id where it is nothing', async () => {
    const before = await instance.count('contexts');
    const answer = await instance.post('/context', { purpose: 'prompt', prompt: 'xyzzy', namespace: 'empty' });
    expect(answer.body).toMatchObject({ id: null, text: '', items: [] });
    expect(await instance.count('contexts')).toBe(before);
  });

  test('is recorded for a session start by hook, too', async () => {
    const start = { cwd: PROJECT, source: 'startup', root: PROJECT };
    // On a busy machine it may come too late, and is then not recorded: another session starts.
    const { block, session } = await until(async () => {
      const session = randomUUID();
      const { body } = await instance.post('/hooks/SessionStart', { ...start, session_id: session });
      const block = JSON.stringify(body);
      return block === '{}' ? undefined : { block, session };
    });
    expect(block).toContain('Rounding is half even');
    const recorded = await instance.value(
      'SELECT cardinality(c.item_ids) AS value FROM contexts c JOIN sessions s ON s.id = c.session_id WHERE s.external_id = $1',
      [session],
    );
    expect(recorded).toBe(3);
  });
});

describe('the list of served contexts', () => {
  const listed = async (query: string, key = instance.admin.key) =>
    bodyOf(contextsAnswer, await instance.get(`/contexts?${query}`, key));

  test('has the newest first, by session, project, purpose and time, of the caller alone', async () => {
    const session = await instance.value<string>("SELECT id AS value FROM sessions WHERE external_id = 'fed'");
    const owner = await instance.user();
    const first = await served(owner.key);
    const second = await served(owner.key);
    const page = await listed('limit=1', owner.key);
    expect(page.data).toMatchObject([
      { id: second.id, purpose: 'session_start', session: null, tokens: second.tokens, items: 3, useful: 0, wrong: 0 },
    ]);
    expect((await listed(`limit=1&cursor=${page.pagination.next_cursor}`, owner.key)).data).toMatchObject([
      { id: first.id },
    ]);
    for (const [query, count] of [
      [`project=${encodeURIComponent(PROJECT)}`, 2],
      ['project=unknown', 0],
      ['session=unknown', 0],
      ['purpose=file', 0],
      ['since=2999-01-01T00:00:00Z', 0],
      ['until=1960-01-01T00:00:00Z', 0],
      ['since=2020-01-01T00:00:00Z&until=2999-01-01T00:00:00Z', 2],
    ] as const)
      expect([query, (await listed(query, owner.key)).data.length]).toEqual([query, count]);
    const own = await served(instance.admin.key, session);
    expect((await listed(`session=${session}&limit=1`)).data).toMatchObject([{ id: own.id, session: { id: session } }]);
    const ids = async (key?: string) => (await listed('limit=100', key)).data.map(({ id }) => id);
    expect(await ids()).toEqual(expect.arrayContaining([first.id, second.id]));
    expect(await ids(colleague.key)).not.toContain(first.id);
    expectError(await instance.get(`/contexts/${first.id}`, colleague.key), 'NOT_FOUND');
  });

  test('leads to the items: why each was served, and what became of it', async () => {
    const block = await served();
    const [useful, wrong, closed] = block.items.map(({ id }) => id);
    await feedback(block.id ?? '', { useful: [useful], wrong: [wrong], note: 'not any more' });
    await instance.write('UPDATE learnings SET valid_to = now() WHERE id = $1', [closed]);
    const found = bodyOf(servedContextDetail, await instance.get(`/contexts/${block.id}`));
    await instance.write('UPDATE learnings SET valid_to = NULL WHERE id = $1', [closed]);
    expect(found).toMatchObject({ useful: 1, wrong: 1, fetched: 0, tokens: block.tokens });
    expect(found.items.map(({ id, reason, tokens }) => ({ id, reason, tokens }))).toEqual(
      block.items.map(({ id, reason, tokens }) => ({ id, reason, tokens })),
    );
    const titled = { title: expect.any(String), note: 'not any more' };
    expect(found.items).toMatchObject([
      { ...titled, feedback: ['useful'] },
      { ...titled, feedback: ['wrong'] },
      { title: expect.any(String), preview: expect.any(String), closed: true, feedback: [], note: null },
    ]);
    expect(found.items.map((item) => item.closed)).toEqual([false, false, true]);
    await instance.write('DELETE FROM memory_uses');
    await instance.write('UPDATE learnings SET use_count = 0, use_weight = 0, confidence = 0.8, last_used_at = NULL');
  });
});

test('a learning that was closed since shows what was served, unless it is hidden, or not visible to the reader', async () => {
  const body = { purpose: 'session_start', project: PROJECT };
  const { id: context } = bodyOf(contextAnswer, await instance.post('/context', body, colleague.key));
  const { id: closed, title } = await learning(idAt(0));
  const shown = async (key: string) => {
    const { items } = bodyOf(servedContextDetail, await instance.get(`/contexts/${context}`, key));
    const item = items.find(({ id }) => id === closed);
    return [item?.title, item?.preview, item?.closed];
  };
  const change = (columns: string) => instance.write(`UPDATE learnings SET ${columns} WHERE id = $1`, [closed]);
  const nothing = [null, null, false];
  try {
    await change("valid_to = now(), reason = 'outdated'");
    expect(await shown(colleague.key)).toEqual([title, 'Rounding is half even', true]);
    await change("visibility = 'private'");
    expect(await shown(colleague.key)).toEqual(nothing);
    expect(await shown(instance.admin.key)).toEqual([title, 'Rounding is half even', true]);
    for (const reason of HIDDEN) {
      await change(`reason = '${reason}'`);
      expect(await shown(instance.admin.key)).toEqual(nothing);
    }
  } finally {
    await change("valid_to = NULL, reason = NULL, visibility = 'shared'");
  }
});

describe('use grows', () => {
  test('by what was useful, sent by id or by hash, once per context', async () => {
    const context = await servedId();
    expect(await feedback(context, { useful: [memoryHash(idAt(0))], note: 'it helped' })).toMatchObject({
      status: 200,
      body: { id: context, useful: 1, wrong: 0, learnings: 1 },
    });
    for (let n = 0; n < 2; n += 1)
      expect((await feedback(context, { useful: [idAt(0), memoryHash(idAt(0))] })).body).toMatchObject({
        useful: 0,
        learnings: 0,
      });
    expect(await learning(idAt(0))).toMatchObject({ use_count: 1, use_weight: 1, last_used_at: expect.any(String) });
    expect((await feedback(await servedId(), { useful: [idAt(0)] })).body).toMatchObject({ useful: 1 });
    expect(await learning(idAt(0))).toMatchObject({ use_count: 2, use_weight: 2 });
  });

  test('by fetching what was served, once a context; the same context counts no second sign', async () => {
    const context = await servedId();
    expect(await fetched(idAt(1), context)).toMatchObject({ use_count: 1, use_weight: 1 });
    expect(await fetched(idAt(1), context)).toMatchObject({ use_count: 1 });
    expect((await feedback(context, { useful: [idAt(1)] })).body).toMatchObject({ useful: 1, learnings: 0 });
    expect(await learning(idAt(1))).toMatchObject({ use_count: 1 });
  });

  test('by fetching it as a memory, alone or with others, by id or hash', async () => {
    const { items } = await served();
    const uses = async () => (await Promise.all(ids.map(learning))).map((row) => row.use_count);
    const before = await uses();
    const body = { ids: [items[0]?.hash, items[1]?.id], used_in: await servedId() };
    expect((await instance.post('/memories/get', body)).status).toBe(200);
    const one = `/memories/${items[2]?.hash}?used_in=${await servedId()}`;
    expect((await instance.get(one)).status).toBe(200);
    expect(await uses()).toEqual(before.map((count) => count + 1));
  });

  test('by fetching memories without naming the context, for the newest that the fetcher was given', async () => {
    const { items } = await served();
    const [one, two] = [items[0], items[1]];
    await served(colleague.key);
    await served();
    const before = (await learning(one?.id ?? '')).use_count;
    const get = async (key: string, ...names: (string | undefined)[]) => {
      expect((await instance.post('/memories/get', { ids: names }, key)).status).toBe(200);
      return (await learning(one?.id ?? '')).use_count;
    };
    expect(await get(instance.admin.key, one?.hash, two?.id)).toBe(before + 1);
    expect(await get(instance.admin.key, one?.id)).toBe(before + 1);
    expect(await get(colleague.key, one?.hash)).toBe(before + 2);
    // Older than 12 hours: found in another way.
    const yesterday = leastIdAt(Date.now() - 13 * 3_600_000);
    await instance.write('DELETE FROM memory_uses');
    await instance.write(
      "UPDATE contexts SET id = (substr($1, 1, 24) || right(id::text, 12))::uuid WHERE item_ids <> '{}'",
      [yesterday],
    );
    expect(await get(instance.admin.key, one?.hash)).toBe(before + 2);
  });

  test('not by fetching without a context, with an unknown one, with another user’s, or what it did not hold', async () => {
    const context = await servedId(colleague.key);
    const aside = await given(instance, 'Not served at all');
    const { use_count: before } = await learning(idAt(2));
    expect(await fetched(idAt(2), randomUUID())).toMatchObject({ use_count: before });
    expect(await fetched(idAt(2), context)).toMatchObject({ use_count: before });
    expect(await fetched(aside.id, context, colleague.key)).toMatchObject({ use_count: 0 });
    expectError(await instance.get(`/learnings/${idAt(2)}?used_in=odd`), 'VALIDATION_FAILED', 'used_in');
    expect(await fetched(idAt(2), context, colleague.key)).toMatchObject({ use_count: before + 1 });
  });

  test('once when many callers send it at once', async () => {
    const context = await servedId();
    const before = await learning(idAt(0));
    await Promise.all([
      ...Array.from({ length: 4 }, () => feedback(context, { useful: [idAt(0), idAt(1)] })),
      ...Array.from({ length: 4 }, () => fetched(idAt(0), context)),
    ]);
    expect((await learning(idAt(0))).use_count).toBe(before.use_count + 1);
  });
});

describe('what was wrong', () => {
  test('loses a quarter of its confidence, once a context, and never falls below 0.05', async () => {
    const context = await servedId();
    const before = await learning(idAt(2));
    expect((await feedback(context, { wrong: [idAt(2)] })).body).toMatchObject({ wrong: 1, learnings: 1 });
    expect((await feedback(context, { wrong: [idAt(2)] })).body).toMatchObject({ wrong: 0, learnings: 0 });
    expect((await learning(idAt(2))).confidence).toBeCloseTo(0.6, 5);
    await instance.write('UPDATE learnings SET confidence = 0.06 WHERE id = $1', [idAt(2)]);
    await feedback(await servedId(), { wrong: [idAt(2)] });
    expect(await learning(idAt(2))).toMatchObject({ confidence: 0.05, use_count: before.use_count });
    await feedback(await servedId(), { wrong: [idAt(2)] });
    expect((await learning(idAt(2))).confidence).toBe(0.05);
  });

  test('leaves what was closed meanwhile as it is', async () => {
    const closing = await given(instance, 'Closed before it was judged', { project: PROJECT });
    const context = await servedId();
    await instance.post(`/learnings/${closing.id}/invalidate`, { reason: 'over' });
    expect((await feedback(context, { wrong: [closing.id] })).body).toMatchObject({ wrong: 1, learnings: 0 });
    expect(await learning(closing.id)).toMatchObject({ confidence: closing.confidence });
  });
});

describe('feedback is refused', () => {
  test.each<[string, () => unknown, string]>([
    ['nothing', () => ({}), 'useful'],
    ['a name that is none', () => ({ useful: ['odd!'] }), 'useful.0'],
    ['what was not served', () => ({ useful: [idAt(0), randomUUID()] }), 'useful.1'],
    ['an unknown hash', () => ({ wrong: ['aaaaaaaa'] }), 'wrong.0'],
    ['both at once', () => ({ useful: [idAt(0)], wrong: [memoryHash(idAt(0))] }), 'wrong.0'],
    ['too many', () => ({ useful: Array.from({ length: 201 }, () => idAt(0)) }), 'useful'],
    ['a long note', () => ({ useful: [idAt(0)], note: 'x'.repeat(501) }), 'note'],
  ])('for %s', async (_what, body, field) => {
    const before = await learning(idAt(0));
    expectError(await feedback(await servedId(), body()), 'VALIDATION_FAILED', field);
    expect((await learning(idAt(0))).use_count).toBe(before.use_count);
  });

  test('of a context that is another user’s or another tenant’s, and of viewers; an admin may', async () => {
    const context = await servedId();
    const stranger = await instance.stranger({ role: 'admin' });
    const viewer = await instance.db.createUser({ tenantId: colleague.tenantId, role: 'viewer' });
    const body = { useful: [idAt(0)] };
    expectError(await feedback(context, body, colleague.key), 'NOT_FOUND');
    expectError(await feedback(context, body, stranger.key), 'NOT_FOUND');
    expectError(await feedback(await servedId(viewer.key), body, viewer.key), 'FORBIDDEN');
    expectError(await feedback(randomUUID(), body), 'NOT_FOUND');
    const colleagueContext = await servedId(colleague.key);
    expect((await feedback(colleagueContext, body)).status).toBe(200);
  });
});

describe('the block', () => {
  test('is the same all day, and counts from the next day on what was of use', async () => {
    const before = await served();
    await feedback(before.id ?? '', { useful: [idAt(1)] });
    const after = await served();
    expect(after.text).toBe(before.text);
    expect(after.items).toEqual(before.items);
    expect(after.id).not.toBe(before.id);
    // The day is over.
    await instance.write("UPDATE memory_uses SET created_at = created_at - interval '1 day'");
    const scoreOf = ({ items }: typeof after) => items.find((item) => item.id === idAt(1))?.score ?? 0;
    expect(scoreOf(await served())).toBeGreaterThan(scoreOf(after));
  });
});
