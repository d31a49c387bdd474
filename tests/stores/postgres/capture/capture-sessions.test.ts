import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { CaptureEvent } from '../../../../domain/capture/event.ts';
import { newId } from '../../../../domain/ids.ts';
import type { UserId } from '../../../../domain/ids.ts';
import { captureEvents } from '../../../../stores/postgres/capture/capture.ts';
import { fileDatabase, fileUser } from '../../../setup/database.ts';
import { captureCounts, event, noted, rowsOf, promptPart } from '../support/captures.ts';

const db = fileDatabase();
const user = fileUser(db);

async function session(externalId: string): Promise<Record<string, unknown> | undefined> {
  return (await db.rows<Record<string, unknown>>('SELECT * FROM sessions WHERE external_id = $1', [externalId]))[0];
}

describe('the owner of a session', () => {
  test('is the tenant of the event, in a batch of several tenants', async () => {
    const other = await db.createUser();
    const outcomes = await captureEvents(db.database.pool, [
      event(user, 'same-id', [promptPart('mine')]),
      event(other, 'same-id', [promptPart('other')]),
      event(user, 'same-id', [noted('mine, too')]),
    ]);
    expect(outcomes.map((outcome) => [outcome.status, outcome.seq])).toEqual([
      ['accepted', 1],
      ['accepted', 1],
      ['accepted', 2],
    ]);
    expect(outcomes[1]?.sessionId).not.toBe(outcomes[0]?.sessionId);
    const rows = await db.rows<{ tenant_id: string; contents: string[]; own: boolean }>(
      `SELECT s.tenant_id, array_agg(p.content) AS contents, bool_and(p.tenant_id = s.tenant_id AND p.user_id = s.user_id) AS own
         FROM sessions s JOIN prompts p ON p.session_id = s.id WHERE s.external_id = 'same-id' GROUP BY 1`,
    );
    expect(new Map(rows.map((row) => [row.tenant_id, [row.contents, row.own]]))).toEqual(
      new Map([
        [user.tenantId, [['mine'], true]],
        [other.tenantId, [['other'], true]],
      ]),
    );
  });

  test('differs by host, even for the same session id', async () => {
    const outcomes = await captureEvents(db.database.pool, [
      event(user, 'hosts', [promptPart('a')]),
      event(user, 'hosts', [promptPart('a')], { host: 'other' }),
    ]);
    expect(outcomes[0]?.sessionId).not.toBe(outcomes[1]?.sessionId);
  });

  test('the first event fixes its namespace', async () => {
    await captureEvents(db.database.pool, [event(user, 'fixed', [promptPart('mine')], { namespace: 'team' })]);
    await captureEvents(db.database.pool, [
      event(user, 'fixed', [noted('more')], { namespace: 'elsewhere', infer: false }),
    ]);
    expect(await session('fixed')).toMatchObject({ user_id: user.userId, namespace: 'team', infer: true, last_seq: 2 });
  });

  test('is the user: events of a colleague under the same id are another session, in one batch and in later ones', async () => {
    const colleague = await db.createUser({ tenantId: user.tenantId });
    const both = [
      event(user, 'shared', [promptPart('mine')], { key: 'same' }),
      event(colleague, 'shared', [promptPart('other')], { key: 'same' }),
    ];
    for (const status of ['accepted', 'duplicate'])
      expect((await captureEvents(db.database.pool, both)).map((outcome) => outcome.status)).toEqual([status, status]);
    const rows = await db.rows(
      `SELECT s.user_id, s.last_seq, p.user_id AS author, p.content FROM sessions s JOIN prompts p ON p.session_id = s.id
        WHERE s.external_id = 'shared' ORDER BY p.content`,
    );
    expect(rows).toEqual([
      { user_id: user.userId, last_seq: 1, author: user.userId, content: 'mine' },
      { user_id: colleague.userId, last_seq: 1, author: colleague.userId, content: 'other' },
    ]);
  });

  test('the first event of a batch is the first one', async () => {
    await captureEvents(db.database.pool, [
      event(user, 'first-of-batch', [promptPart('a')], { namespace: 'one' }),
      event(user, 'first-of-batch', [promptPart('b')], { namespace: 'two' }),
    ]);
    expect(await session('first-of-batch')).toMatchObject({ namespace: 'one' });
  });
});

describe('a session that is over', () => {
  test.each(['ended', 'archived'])('is opened again by a new event when it is %s', async (status) => {
    const [first] = await captureEvents(db.database.pool, [event(user, `over-${status}`, [promptPart('a')])]);
    await db.write(
      "UPDATE sessions SET status = $1, phase = 'settled', ended_at = now(), consumed_seq = 1 WHERE id = $2",
      [status, first?.sessionId],
    );
    const [second] = await captureEvents(db.database.pool, [event(user, `over-${status}`, [promptPart('b')])]);
    expect(second).toMatchObject({ status: 'accepted', seq: 2, sessionId: first?.sessionId });
    expect(await session(`over-${status}`)).toMatchObject({
      status: 'active',
      phase: 'active',
      ended_at: null,
      last_seq: 2,
      consumed_seq: 1,
    });
  });

  test('that is still being summarised stays in its phase', async () => {
    await captureEvents(db.database.pool, [event(user, 'busy', [promptPart('a')])]);
    await db.write("UPDATE sessions SET phase = 'summarising' WHERE external_id = 'busy'");
    await captureEvents(db.database.pool, [event(user, 'busy', [promptPart('b')])]);
    expect(await session('busy')).toMatchObject({ status: 'active', phase: 'summarising' });
  });

  test('rejects events if it was deleted, and stores its neighbours in the batch', async () => {
    const [known] = await captureEvents(db.database.pool, [event(user, 'deleted', [promptPart('a')], { key: 'k' })]);
    await db.write("UPDATE sessions SET status = 'deleted' WHERE external_id = 'deleted'");
    const [before, stored] = [await session('deleted'), await rowsOf(db, known?.sessionId ?? '')];
    const outcomes = await captureEvents(db.database.pool, [
      event(user, 'deleted', [promptPart('new')]),
      event(user, 'deleted', [promptPart('a')], { key: 'k' }),
      event(user, 'deleted', [promptPart('new')], { key: 'k2' }),
      event(user, 'alive', [promptPart('fine')]),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected', 'rejected', 'accepted']);
    expect([await session('deleted'), await rowsOf(db, known?.sessionId ?? '')]).toEqual([before, stored]);
  });
});

describe('a batch with an event that cannot be stored', () => {
  type Fault = (good: CaptureEvent) => object;
  const row = (good: CaptureEvent, change: object) => ({
    ...good,
    rows: good.rows.map((each) => ({ ...each, ...change })),
  });
  const faults: [string, string, Fault][] = [
    ['a time that is none', '22007', (good) => ({ ...good, received_at: 'some day' })],
    ['a type that is none', '23514', (good) => row(good, { type: 'shouted' })],
    ['an id that is none', '22P02', (good) => row(good, { id: 'x' })],
    ['half a character', '22P02', (good) => row(good, { content: 'cut \ud83d' })],
    ['a NUL character', '22P05', (good) => row(good, { content: 'a\u0000b' })],
    ['no content', '23502', (good) => row(good, { content: null })],
    ['too many tokens', '22003', (good) => row(good, { tokens: 3_000_000_000 })],
    [
      'a user who does not exist',
      '23503',
      (good) => ({ ...good, external_id: 'poisoned-2', user_id: newId<UserId>() }),
    ],
    [
      'a key that exceeds the index limit',
      '54000',
      (good) => ({ ...good, key: Array.from({ length: 200 }, () => randomUUID()).join('') }),
    ],
  ];

  test.each(faults)('is rejected completely, and nothing of it is written: %s', async (_what, code, fault) => {
    const good = () => event(user, 'poisoned', [promptPart(randomUUID())], { project: { name: 'poisoned' } });
    const before = await captureCounts(db);
    // TypeScript rejects these values, but a bug could still produce them.
    const batch = [good(), fault(good()), good()] as CaptureEvent[];
    await expect(captureEvents(db.database.pool, batch)).rejects.toMatchObject({ code });
    expect(await captureCounts(db)).toEqual(before);
  });
});
