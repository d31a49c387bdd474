import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { captureEvents } from '../../../../stores/postgres/capture/capture.ts';
import { createTestDatabase, createTestUser } from '../../../setup/database.ts';
import type { TestDatabase, TestUser } from '../../../setup/database.ts';
import { captureCounts, ended, event, noted, rowsOf, promptPart } from '../support/captures.ts';

let db: TestDatabase;
let user: TestUser;

beforeAll(async () => {
  db = await createTestDatabase();
  user = await createTestUser(db.superuser);
});
afterAll(() => db.close());

async function begin(externalId: string, capture: boolean): Promise<string> {
  const [first] = await captureEvents(db.database.pool, [event(user, externalId, [ended('session_start')])]);
  await switchTo(externalId, capture);
  return first?.sessionId ?? '';
}

function switchTo(externalId: string, capture: boolean) {
  return db.superuser.query('UPDATE sessions SET capture = $1 WHERE external_id = $2', [capture, externalId]);
}

async function keysOf(sessionId: string): Promise<unknown[]> {
  const keys = await db.superuser.query(
    'SELECT key, seq, kind FROM capture_keys WHERE session_id = $1 AND seq > 1 ORDER BY seq',
    [sessionId],
  );
  return keys.rows;
}

describe('a session that is not captured', () => {
  test('takes nothing that holds content, and its neighbours in the batch are none the worse', async () => {
    await begin('off', false);
    const before = await captureCounts(db.superuser);
    const outcomes = await captureEvents(db.database.pool, [
      event(user, 'off', [promptPart('a')], { key: 'k' }),
      event(user, 'on', [promptPart('b')]),
      event(user, 'off', [noted('c')]),
    ]);
    expect(outcomes.map(({ status, reason, rowId, seq }) => [status, reason, rowId === null, seq])).toEqual([
      ['rejected', 'capture_off', true, null],
      ['accepted', null, false, 1],
      ['rejected', 'capture_off', true, null],
    ]);
    expect(await captureCounts(db.superuser)).toMatchObject({
      prompts: (before['prompts'] ?? 0) + 1,
      observations: before['observations'],
    });
  });

  test('still keeps where it was cut: of an event with words only the boundary is stored, under the key of the event', async () => {
    const session = await begin('cut', false);
    const outcomes = await captureEvents(db.database.pool, [
      event(user, 'cut', [promptPart('last words', 'assistant'), ended()], { key: 'stop' }),
      event(user, 'cut', [ended('session_end')], { key: 'end' }),
    ]);
    expect(outcomes.map(({ status, seq }) => [status, seq])).toEqual([
      ['accepted', 2],
      ['accepted', 3],
    ]);
    const rows = await rowsOf(db.superuser, session);
    expect(rows.map((row) => [row.seq, row.kind, row.content])).toEqual([
      [1, 'boundary', 'session_start'],
      [2, 'boundary', 'turn_end'],
      [3, 'boundary', 'session_end'],
    ]);
    expect(outcomes.map((outcome) => outcome.rowId)).toEqual([rows[1]?.id, rows[2]?.id]);
    expect(await keysOf(session)).toEqual([
      { key: 'stop', seq: 2, kind: 'boundary' },
      { key: 'end', seq: 3, kind: 'boundary' },
    ]);
    const [counts] = (
      await db.superuser.query(
        "SELECT prompt_count, observation_count, token_count, last_seq FROM sessions WHERE external_id = 'cut'",
      )
    ).rows;
    expect(counts).toEqual({ prompt_count: 0, observation_count: 0, token_count: 0, last_seq: 3 });
    const [again] = await captureEvents(db.database.pool, [
      event(user, 'cut', [promptPart('last words', 'assistant'), ended()], { key: 'stop' }),
    ]);
    expect(again).toMatchObject({ status: 'duplicate', rowId: rows[1]?.id, seq: 2 });
  });

  test('knows what was stored before, and takes everything again once it is switched on', async () => {
    await captureEvents(db.database.pool, [event(user, 'again', [promptPart('a')], { key: 'k' })]);
    await switchTo('again', false);
    const send = () =>
      captureEvents(db.database.pool, [
        event(user, 'again', [promptPart('a')], { key: 'k' }),
        event(user, 'again', [promptPart('b')], { key: 'k2' }),
      ]);
    expect((await send()).map((outcome) => outcome.status)).toEqual(['duplicate', 'rejected']);
    await switchTo('again', true);
    expect((await send()).map((outcome) => outcome.status)).toEqual(['duplicate', 'accepted']);
  });

  test('a prompt that is not stored is no prompt that later observations belong to', async () => {
    await begin('asked', false);
    await captureEvents(db.database.pool, [event(user, 'asked', [promptPart('not stored'), ended()], { key: 'k' })]);
    await switchTo('asked', true);
    const [outcome] = await captureEvents(db.database.pool, [event(user, 'asked', [noted('after')])]);
    const rows = await rowsOf(db.superuser, outcome?.sessionId ?? '');
    expect(rows.filter((row) => row.kind === 'observation').map((row) => row.prompt_id)).toEqual([null]);
  });
});

describe('what a host sent beside a prompt or a boundary', () => {
  const beside = (words: string) => [
    { ...promptPart('x'), extra: { words } } as const,
    { kind: 'boundary', boundary: 'compaction', reason: null, extra: { words } } as const,
  ];
  const kept = async (externalId: string) =>
    (
      await db.superuser.query<{ metadata: unknown }>(
        `SELECT r.metadata FROM (SELECT session_id, seq, metadata FROM prompts UNION ALL SELECT session_id, seq, metadata FROM boundaries) AS r
           JOIN sessions s ON s.id = r.session_id WHERE s.external_id = $1 AND r.seq > 1 ORDER BY r.seq`,
        [externalId],
      )
    ).rows.map((row) => row.metadata);

  test('is kept with it; nothing is NULL, not a JSON null', async () => {
    await begin('beside', true);
    await captureEvents(db.database.pool, [event(user, 'beside', beside('w')), event(user, 'beside', [ended()])]);
    expect(await kept('beside')).toEqual([{ words: 'w' }, { words: 'w' }, null]);
    const nulls = await db.superuser.query(
      "SELECT count(*)::integer AS n FROM boundaries WHERE metadata = 'null'::jsonb",
    );
    expect(nulls.rows).toEqual([{ n: 0 }]);
  });

  test('is not kept where capture is off: it may be words of the user', async () => {
    await begin('beside-off', false);
    await captureEvents(db.database.pool, [event(user, 'beside-off', beside('w'))]);
    expect(await kept('beside-off')).toEqual([null]);
  });
});

describe('what a row tells of its way', () => {
  test('the source of its event, by its key', async () => {
    const outcomes = await captureEvents(
      db.database.pool,
      (['hook', 'event', 'spool', 'transcript', 'import'] as const).map((source) =>
        event(user, 'sources', [promptPart(source)], { source, key: source }),
      ),
    );
    const keys = await db.superuser.query('SELECT key, source FROM capture_keys WHERE session_id = $1 ORDER BY seq', [
      outcomes[0]?.sessionId,
    ]);
    expect(keys.rows.length).toBe(5);
    for (const row of keys.rows) expect(row).toMatchObject({ source: row.key });
  });

  test('the agent who said it, and its class', async () => {
    const [outcome] = await captureEvents(db.database.pool, [
      event(user, 'agents', [promptPart('found it', 'assistant'), noted('n'), ended('subagent_stop')], {
        key: 'k',
        agent: { id: 'a1', type: 'explorer' },
      }),
    ]);
    for (const table of ['prompts', 'observations', 'boundaries']) {
      const rows = await db.superuser.query(`SELECT agent_id, agent_type FROM ${table} WHERE session_id = $1`, [
        outcome?.sessionId,
      ]);
      expect([table, rows.rows]).toEqual([table, [{ agent_id: 'a1', agent_type: 'explorer' }]]);
    }
    const classes = await db.superuser.query('SELECT data_class FROM prompts WHERE session_id = $1', [
      outcome?.sessionId,
    ]);
    expect(classes.rows).toEqual([{ data_class: 'internal' }]);
  });

  test('parts of an event have keys that no other event can have', async () => {
    const [first] = await captureEvents(db.database.pool, [
      event(user, 'parts', [promptPart('words', 'assistant'), ended()], { key: 'x' }),
    ]);
    const others = ['x#2', 'x\u001f2', 'x\uFFFD2'];
    const outcomes = await captureEvents(
      db.database.pool,
      others.map((key) => event(user, 'parts', [promptPart(key)], { key })),
    );
    // The edge makes the last two one name.
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['accepted', 'accepted', 'duplicate']);
    expect(await keysOf(first?.sessionId ?? '')).toEqual([
      { key: 'x\u001f2', seq: 2, kind: 'boundary' },
      { key: 'x#2', seq: 3, kind: 'prompt' },
      { key: 'x\uFFFD2', seq: 4, kind: 'prompt' },
    ]);
  });
});

describe('what a session is told', () => {
  test('by several events of one batch is joined in their order; what a duplicate tells counts for nothing', async () => {
    await captureEvents(db.database.pool, [
      event(user, 'told', [ended('session_start')], { key: '1', metadata: { source: 'startup', a: 1 }, model: 'm1' }),
      event(user, 'told', [promptPart('x')], { key: '2', metadata: { b: 2 } }),
      event(user, 'told', [ended('session_start')], { key: '1', metadata: { a: 9 }, model: 'm9' }),
      event(user, 'told', [ended('session_start')], { key: '3', metadata: { source: 'resume', c: null } }),
    ]);
    const row = await db.superuser.query("SELECT model, metadata FROM sessions WHERE external_id = 'told'");
    expect(row.rows).toEqual([{ model: 'm1', metadata: { source: 'resume', a: 1, b: 2, c: null } }]);
  });
});
