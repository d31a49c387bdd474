import { describe, expect, test } from 'vitest';
import { captureEvents } from '../../../../stores/postgres/capture/capture.ts';
import { fileDatabase, fileUser } from '../../../setup/database.ts';
import { captureCounts, ended, event, noted, rowsOf, promptPart } from '../support/captures.ts';

const db = fileDatabase();
const user = fileUser(db);

async function begin(externalId: string, capture: boolean): Promise<string> {
  const [first] = await captureEvents(db.database.pool, [event(user, externalId, [ended('session_start')])]);
  await switchTo(externalId, capture);
  return first?.sessionId ?? '';
}

function switchTo(externalId: string, capture: boolean) {
  return db.write('UPDATE sessions SET capture = $1 WHERE external_id = $2', [capture, externalId]);
}

async function keysOf(sessionId: string): Promise<unknown[]> {
  const keys = await db.rows('SELECT key, seq, kind FROM capture_keys WHERE session_id = $1 AND seq > 1 ORDER BY seq', [
    sessionId,
  ]);
  return keys;
}

describe('a session that is not captured', () => {
  test('rejects events with content, and stores its neighbours in the batch', async () => {
    await begin('off', false);
    const before = await captureCounts(db);
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
    expect(await captureCounts(db)).toMatchObject({
      prompts: (before['prompts'] ?? 0) + 1,
      observations: before['observations'],
    });
  });

  test('still stores boundaries: of an event with content only the boundary, under the key of the event', async () => {
    const session = await begin('cut', false);
    const outcomes = await captureEvents(db.database.pool, [
      event(user, 'cut', [promptPart('last words', 'assistant'), ended()], { key: 'stop' }),
      event(user, 'cut', [ended('session_end')], { key: 'end' }),
    ]);
    expect(outcomes.map(({ status, seq }) => [status, seq])).toEqual([
      ['accepted', 2],
      ['accepted', 3],
    ]);
    const rows = await rowsOf(db, session);
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
    const [counts] = await db.rows(
      "SELECT prompt_count, observation_count, token_count, last_seq FROM sessions WHERE external_id = 'cut'",
    );
    expect(counts).toEqual({ prompt_count: 0, observation_count: 0, token_count: 0, last_seq: 3 });
    const [again] = await captureEvents(db.database.pool, [
      event(user, 'cut', [promptPart('last words', 'assistant'), ended()], { key: 'stop' }),
    ]);
    expect(again).toMatchObject({ status: 'duplicate', rowId: rows[1]?.id, seq: 2 });
  });

  test('reports earlier events as duplicates, and stores new ones once capture is switched on', async () => {
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

  test('links later observations to no prompt if their prompt was not stored', async () => {
    await begin('unstored', false);
    await captureEvents(db.database.pool, [event(user, 'unstored', [promptPart('not stored'), ended()], { key: 'k' })]);
    await switchTo('unstored', true);
    const [outcome] = await captureEvents(db.database.pool, [event(user, 'unstored', [noted('after')])]);
    const rows = await rowsOf(db, outcome?.sessionId ?? '');
    expect(rows.filter((row) => row.kind === 'observation').map((row) => row.prompt_id)).toEqual([null]);
  });
});

describe('extra data of a prompt or a boundary', () => {
  const beside = (words: string) => [
    { ...promptPart('x'), extra: { words } } as const,
    { kind: 'boundary', boundary: 'compaction', reason: null, extra: { words } } as const,
  ];
  const metadataOf = async (externalId: string) =>
    (
      await db.rows<{ metadata: unknown }>(
        `SELECT r.metadata FROM (SELECT session_id, seq, metadata FROM prompts UNION ALL SELECT session_id, seq, metadata FROM boundaries) AS r
           JOIN sessions s ON s.id = r.session_id WHERE s.external_id = $1 AND r.seq > 1 ORDER BY r.seq`,
        [externalId],
      )
    ).map((row) => row.metadata);

  test('is stored with it; if absent, as NULL, not as JSON null', async () => {
    await begin('beside', true);
    await captureEvents(db.database.pool, [event(user, 'beside', beside('w')), event(user, 'beside', [ended()])]);
    expect(await metadataOf('beside')).toEqual([{ words: 'w' }, { words: 'w' }, null]);
    const nulls = await db.rows("SELECT count(*)::integer AS n FROM boundaries WHERE metadata = 'null'::jsonb");
    expect(nulls).toEqual([{ n: 0 }]);
  });

  test('is not stored if capture is off: it may contain words of the user', async () => {
    await begin('beside-off', false);
    await captureEvents(db.database.pool, [event(user, 'beside-off', beside('w'))]);
    expect(await metadataOf('beside-off')).toEqual([null]);
  });
});

describe('the origin of a row', () => {
  test('includes the source of its event, by its key', async () => {
    const outcomes = await captureEvents(
      db.database.pool,
      (['hook', 'event', 'spool', 'transcript', 'import'] as const).map((source) =>
        event(user, 'sources', [promptPart(source)], { source, key: source }),
      ),
    );
    const keys = await db.rows('SELECT key, source FROM capture_keys WHERE session_id = $1 ORDER BY seq', [
      outcomes[0]?.sessionId,
    ]);
    expect(keys.length).toBe(5);
    for (const row of keys) expect(row).toMatchObject({ source: row.key });
  });

  test('includes the agent, and its data class', async () => {
    const [outcome] = await captureEvents(db.database.pool, [
      event(user, 'agents', [promptPart('found it', 'assistant'), noted('n'), ended('subagent_stop')], {
        key: 'k',
        agent: { id: 'a1', type: 'explorer' },
      }),
    ]);
    for (const table of ['prompts', 'observations', 'boundaries']) {
      const rows = await db.rows(`SELECT agent_id, agent_type FROM ${table} WHERE session_id = $1`, [
        outcome?.sessionId,
      ]);
      expect([table, rows]).toEqual([table, [{ agent_id: 'a1', agent_type: 'explorer' }]]);
    }
    const classes = await db.rows('SELECT data_class FROM prompts WHERE session_id = $1', [outcome?.sessionId]);
    expect(classes).toEqual([{ data_class: 'internal' }]);
  });

  test('gives parts of an event keys that no other event can have', async () => {
    const [first] = await captureEvents(db.database.pool, [
      event(user, 'parts', [promptPart('words', 'assistant'), ended()], { key: 'x' }),
    ]);
    const others = ['x#2', 'x\u001f2', 'x\uFFFD2'];
    const outcomes = await captureEvents(
      db.database.pool,
      others.map((key) => event(user, 'parts', [promptPart(key)], { key })),
    );
    // Encoding maps the last two to the same key.
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['accepted', 'accepted', 'duplicate']);
    expect(await keysOf(first?.sessionId ?? '')).toEqual([
      { key: 'x\u001f2', seq: 2, kind: 'boundary' },
      { key: 'x#2', seq: 3, kind: 'prompt' },
      { key: 'x\uFFFD2', seq: 4, kind: 'prompt' },
    ]);
  });
});

describe('metadata of a session', () => {
  test('is merged in the order of the events of a batch, without that of duplicates', async () => {
    await captureEvents(db.database.pool, [
      event(user, 'merged', [ended('session_start')], { key: '1', metadata: { source: 'startup', a: 1 }, model: 'm1' }),
      event(user, 'merged', [promptPart('x')], { key: '2', metadata: { b: 2 } }),
      event(user, 'merged', [ended('session_start')], { key: '1', metadata: { a: 9 }, model: 'm9' }),
      event(user, 'merged', [ended('session_start')], { key: '3', metadata: { source: 'resume', c: null } }),
    ]);
    const row = await db.rows("SELECT model, metadata FROM sessions WHERE external_id = 'merged'");
    expect(row).toEqual([{ model: 'm1', metadata: { source: 'resume', a: 1, b: 2, c: null } }]);
  });
});
