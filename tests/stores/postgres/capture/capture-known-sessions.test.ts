import { describe, expect, test } from 'vitest';
import { createCapture, encodeBatch, encodeEvent } from '../../../../stores/postgres/capture/capture.ts';
import { fileDatabase, fileUser } from '../../../setup/database.ts';
import { ended, event, noted, promptPart } from '../support/captures.ts';

const db = fileDatabase();
const user = fileUser(db);

describe('a cached session', () => {
  test('that was deleted is created again, and the batch is stored once', async () => {
    const capture = createCapture(db.database.pool);
    const send = (key: string, ...sessions: string[]) =>
      capture(
        sessions.map((session) =>
          encodeEvent(event(user, session, [promptPart(key)], { key, project: { path: '/a' } })),
        ),
      );
    await send('1', 'deleted', 'there');
    await send('2', 'deleted', 'there');
    await db.write("DELETE FROM sessions WHERE external_id = 'deleted'");
    const outcomes = await send('3', 'there', 'deleted');
    expect(outcomes.map(({ status, seq }) => [status, seq])).toEqual([
      ['accepted', 3],
      ['accepted', 1],
    ]);
    expect((await send('4', 'deleted', 'there')).map(({ seq }) => seq)).toEqual([2, 4]);
    expect(await db.count("sessions WHERE external_id = 'deleted'")).toBe(1);
  });

  test('is read again if an event has a new alias of its project', async () => {
    const capture = createCapture(db.database.pool);
    const send = (key: string, remote?: string) =>
      capture([encodeEvent(event(user, 'aliased', [promptPart(key)], { key, project: { path: '/aliased', remote } }))]);
    await send('1');
    await send('2');
    await send('3', 'git@github.com:team/aliased.git');
    expect(
      await db.value(
        "SELECT p.git_remote AS value FROM sessions s JOIN projects p ON p.id = s.project_id WHERE s.external_id = 'aliased'",
      ),
    ).toBe('github.com/team/aliased');
  });

  test('is not cached if its batch was rejected', async () => {
    const capture = createCapture(db.database.pool);
    const good = event(user, 'refused', [promptPart('x')], { key: 'k' });
    await expect(capture([encodeEvent({ ...good, received_at: 'some day' })])).rejects.toMatchObject({ code: '22007' });
    expect(await capture([encodeEvent(good)])).toMatchObject([{ status: 'accepted', seq: 1 }]);
  });
});

describe('a batch as text', () => {
  test('contains each session once, and each set of project aliases once', () => {
    const at = (session: string, path: string | null) =>
      encodeEvent(event(user, session, [noted('n')], { project: path === null ? null : { path } }));
    const { values, sessions } = encodeBatch([
      at('a', '/x'),
      at('b', '/x'),
      at('a', '/x'),
      at('a', '/y'),
      at('a', null),
    ]);
    expect(JSON.parse(values[0] ?? '')).toMatchObject([
      { n: 1, external_id: 'a' },
      { n: 2, external_id: 'b' },
    ]);
    expect(JSON.parse(values[1] ?? '')).toMatchObject([
      { session: 1, aliases: ['path::/x'] },
      { session: 2, aliases: ['path::/x'] },
      { session: 1, aliases: ['path::/y'] },
    ]);
    expect(sessions.length).toBe(4);
  });

  test('states the rows of an event and the earlier event with its key', () => {
    const { values } = encodeBatch([
      encodeEvent(event(user, 's', [promptPart('a', 'assistant'), ended()], { key: 'k"\\,{}' })),
      encodeEvent(event(user, 's', [promptPart('a', 'user')], { key: null })),
      encodeEvent(event(user, 's', [noted('a')], { key: 'k"\\,{}' })),
    ]);
    expect(JSON.parse(values[2] ?? '')).toMatchObject([
      { n: 1, session: 1, twin: 1, parts: 2, boundaries: 1, prompts: 1, observations: 0 },
      { n: 2, session: 1, parts: 1, boundaries: 0, prompts: 1 },
      { n: 3, session: 1, twin: 1, parts: 1, observations: 1 },
    ]);
    expect(values[3]).toBe('{"k\\"\\\\,{}",NULL,"k\\"\\\\,{}"}');
    expect(values.slice(4, 10)).toEqual([
      '{1,1,1}',
      expect.any(String),
      '{1,1,2,3}',
      '{1,2,1,1}',
      '{0,1,0,0}',
      '{prompt,boundary,prompt,observation}',
    ]);
    expect(values.slice(10).map((rows) => JSON.parse(rows ?? '[]').length)).toEqual([2, 1, 1]);
  });

  test('omits kinds without rows', () => {
    expect(encodeBatch([encodeEvent(event(user, 's', [ended()]))]).values.slice(10, 12)).toEqual([null, null]);
  });

  test.each(['"', '\\', '{', '}', ',', ' ', 'NULL', '😀', "'", '\n'])('a key with %j is known again', async (text) => {
    const send = () =>
      createCapture(db.database.pool)([encodeEvent(event(user, 'odd-keys', [promptPart('x')], { key: `k${text}` }))]);
    const [first] = await send();
    expect(await send()).toMatchObject([{ status: 'duplicate', rowId: first?.rowId }]);
    expect(await db.value('SELECT key AS value FROM capture_keys WHERE row_id = $1', [first?.rowId])).toBe(`k${text}`);
  });
});
