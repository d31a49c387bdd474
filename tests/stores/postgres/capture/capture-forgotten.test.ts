import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { captureEvents } from '../../../../stores/postgres/capture/capture.ts';
import { fileDatabase, fileUser } from '../../../setup/database.ts';
import type { TestUser } from '../../../setup/database.ts';
import { captureCounts, ended, event, noted, promptPart } from '../support/captures.ts';

const db = fileDatabase();
const user = fileUser(db);

const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest();

function forget(externalId: string, what: string, who: TestUser = user, host = 'test') {
  return db.write('INSERT INTO tombstones (tenant_id, host, external_id, key_sha256) VALUES ($1, $2, $3, $4)', [
    who.tenantId,
    host,
    externalId,
    sha256(what),
  ]);
}

async function statuses(...events: ReturnType<typeof event>[]): Promise<unknown[]> {
  const outcomes = await captureEvents(db.database.pool, events);
  return outcomes.map((outcome) => outcome.reason ?? outcome.status);
}

describe('a forgotten event', () => {
  test('known by its key is rejected, whatever its content, and its neighbours are stored', async () => {
    await forget('keys', 'key:tool:1');
    expect(
      await statuses(
        event(user, 'keys', [promptPart('a')], { key: 'tool:1' }),
        event(user, 'keys', [promptPart('b')], { key: 'tool:2' }),
        event(user, 'keys', [promptPart('other words'), ended()], { key: 'tool:1' }),
        event(user, 'keys', [promptPart('c')]),
      ),
    ).toEqual(['forgotten', 'accepted', 'forgotten', 'accepted']);
  });

  test('known by the content of its prompt is rejected under another key, in any part of an event', async () => {
    await forget('content', `content:${sha256('my password is').toString('hex')}`);
    expect(
      await statuses(
        event(user, 'content', [promptPart('my password is')], { key: 'hook' }),
        event(user, 'content', [promptPart('something else')], { key: 'k2' }),
        event(user, 'content', [ended(), promptPart('my password is', 'assistant')], { key: 'transcript' }),
        event(user, 'content', [noted('my password is')], { key: 'k3' }),
      ),
    ).toEqual(['forgotten', 'accepted', 'forgotten', 'accepted']);
  });

  test('of a forgotten session is rejected, even a boundary, and no row of it is written', async () => {
    await forget('complete', 'session');
    expect(
      await statuses(
        event(user, 'complete', [ended('session_start')]),
        event(user, 'complete', [promptPart('a')], { key: 'k' }),
      ),
    ).toEqual(['forgotten', 'forgotten']);
    const sessions = await db.rows("SELECT status, last_seq FROM sessions WHERE external_id = 'complete'");
    expect(sessions).toEqual([{ status: 'deleted', last_seq: 0 }]);
  });

  test('leaves an existing session unchanged, and one that its batch starts with other events', async () => {
    await captureEvents(db.database.pool, [event(user, 'was-there', [promptPart('a')], { key: 'a' })]);
    await forget('was-there', 'session');
    await forget('started', 'key:k');
    expect(
      await statuses(
        event(user, 'was-there', [promptPart('b')], { key: 'b' }),
        event(user, 'started', [promptPart('b')], { key: 'k' }),
        event(user, 'started', [promptPart('c')], { key: 'c' }),
      ),
    ).toEqual(['forgotten', 'forgotten', 'accepted']);
    const sessions = await db.rows("SELECT status FROM sessions WHERE external_id IN ('was-there', 'started')");
    expect(sessions).toEqual([{ status: 'active' }, { status: 'active' }]);
  });

  test('without a key is known by its hash', async () => {
    const once = event(user, 'hashed', [noted('say it')]);
    await forget('hashed', `key:hash:${once.hash}`);
    expect(
      await statuses(event(user, 'hashed', [noted('say it')]), event(user, 'hashed', [noted('say more')])),
    ).toEqual(['forgotten', 'accepted']);
  });

  test('is rejected in its session, its host and its tenant only', async () => {
    const other = await db.createUser();
    await forget('mine', 'key:k');
    expect(
      await statuses(
        event(user, 'mine', [promptPart('a')], { key: 'k' }),
        event(user, 'yours', [promptPart('a')], { key: 'k' }),
        event(user, 'mine', [promptPart('a')], { key: 'k', host: 'other' }),
        event(other, 'mine', [promptPart('a')], { key: 'k' }),
      ),
    ).toEqual(['forgotten', 'accepted', 'accepted', 'accepted']);
  });

  test('that was stored before is rejected, too, and changes nothing', async () => {
    await captureEvents(db.database.pool, [event(user, 'late', [promptPart('a')], { key: 'k' })]);
    await forget('late', 'key:k');
    const before = await captureCounts(db);
    const [outcome] = await captureEvents(db.database.pool, [event(user, 'late', [promptPart('a')], { key: 'k' })]);
    expect(outcome).toMatchObject({ status: 'rejected', reason: 'forgotten', rowId: null, seq: null });
    expect(await captureCounts(db)).toEqual(before);
  });

  test('is rejected if it is forgotten while its batch waits for the session', async () => {
    const [known] = await captureEvents(db.database.pool, [event(user, 'race', [promptPart('a')], { key: 'first' })]);
    const client = await db.maintenance.connect();
    try {
      await client.query('BEGIN');
      await client.query('SELECT 1 FROM sessions WHERE id = $1 FOR UPDATE', [known?.sessionId]);
      const waiting = statuses(event(user, 'race', [promptPart('b')], { key: 'k' }));
      await client.query('INSERT INTO tombstones (tenant_id, host, external_id, key_sha256) VALUES ($1, $2, $3, $4)', [
        user.tenantId,
        'test',
        'race',
        sha256('key:k'),
      ]);
      await client.query('COMMIT');
      expect(await waiting).toEqual(['forgotten']);
    } finally {
      client.release();
    }
  });
});
