import { describe, expect, test } from 'vitest';
import { captureEvents } from '../../../../stores/postgres/capture/capture.ts';
import { fileDatabase, fileUser } from '../../../setup/database.ts';
import { captureCounts, ended, event, noted, rowsOf, promptPart } from '../support/captures.ts';

const db = fileDatabase();
const user = fileUser(db);

describe('an event that came before', () => {
  test('is known by its key across batches, whatever its content, and returns the first row', async () => {
    const [first] = await captureEvents(db.database.pool, [event(user, 'again', [promptPart('one')], { key: 'k' })]);
    await captureEvents(db.database.pool, [event(user, 'again', [promptPart('between')])]);
    const before = await captureCounts(db);
    const [second] = await captureEvents(db.database.pool, [
      event(user, 'again', [promptPart('something else')], { key: 'k' }),
    ]);
    expect(second).toEqual({
      status: 'duplicate',
      rowId: first?.rowId,
      seq: first?.seq,
      sessionId: first?.sessionId,
      reason: null,
    });
    expect(await captureCounts(db)).toEqual(before);
  });

  test('is known by its key within one batch', async () => {
    const outcomes = await captureEvents(db.database.pool, [
      event(user, 'within', [promptPart('one')], { key: 'k' }),
      event(user, 'within', [promptPart('two')], { key: 'other' }),
      event(user, 'within', [promptPart('one again')], { key: 'k' }),
      event(user, 'within', [promptPart('and again')], { key: 'k' }),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['accepted', 'accepted', 'duplicate', 'duplicate']);
    expect(outcomes.map((outcome) => outcome.rowId === outcomes[0]?.rowId)).toEqual([true, false, true, true]);
    expect((await rowsOf(db, outcomes[0]?.sessionId ?? '')).map((row) => row.content)).toEqual(['one', 'two']);
  });

  test('the same key in another session is another event', async () => {
    const outcomes = await captureEvents(db.database.pool, [
      event(user, 'key-a', [promptPart('one')], { key: 'k' }),
      event(user, 'key-b', [promptPart('one')], { key: 'k' }),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['accepted', 'accepted']);
  });

  test('without a key is known by its content only when nothing came between', async () => {
    const say = (content: string) => captureEvents(db.database.pool, [event(user, 'hash', [promptPart(content)])]);
    const statuses: (string | undefined)[] = [];
    for (const content of ['continue', 'continue', 'other', 'continue', 'continue'])
      statuses.push((await say(content))[0]?.status);
    expect(statuses).toEqual(['accepted', 'duplicate', 'accepted', 'accepted', 'duplicate']);
  });

  test('without a key is known by its content within a batch, too, and answered with the row it repeats', async () => {
    const outcomes = await captureEvents(
      db.database.pool,
      ['a', 'a', 'a', 'b', 'a'].map((content) => event(user, 'hash-batch', [promptPart(content)])),
    );
    expect(outcomes.map((outcome) => outcome.status)).toEqual([
      'accepted',
      'duplicate',
      'duplicate',
      'accepted',
      'accepted',
    ]);
    expect(outcomes[1]?.rowId).toBe(outcomes[0]?.rowId);
    expect(outcomes[2]?.rowId).toBe(outcomes[0]?.rowId);
    const [next] = await captureEvents(db.database.pool, [event(user, 'hash-batch', [promptPart('a')])]);
    expect(next).toMatchObject({ status: 'duplicate', rowId: outcomes[4]?.rowId });
  });

  test('another event between may carry a key, and one that was refused as a duplicate is nothing between', async () => {
    const outcomes = await captureEvents(db.database.pool, [
      event(user, 'between', [promptPart('a')]),
      event(user, 'between', [noted('n')], { key: 'k' }),
      event(user, 'between', [promptPart('a')]),
      event(user, 'between', [noted('n')], { key: 'k' }),
      event(user, 'between', [promptPart('a')]),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual([
      'accepted',
      'accepted',
      'accepted',
      'duplicate',
      'duplicate',
    ]);
  });

  test('two events of the same content with different host times are distinct', async () => {
    const at = (second: number) =>
      event(user, 'timed', [promptPart('yes')], { occurredAt: `2026-01-01T00:00:0${second}Z` });
    const outcomes = await captureEvents(db.database.pool, [at(1), at(2), at(2)]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['accepted', 'accepted', 'duplicate']);
  });

  test('of several parts is stored once, with or without a key', async () => {
    const parts = [promptPart('last words', 'assistant'), ended()];
    for (const key of ['stop', null]) {
      const external = `parts-${key ?? 'none'}`;
      const [first] = await captureEvents(db.database.pool, [event(user, external, parts, { key })]);
      const [again] = await captureEvents(db.database.pool, [event(user, external, parts, { key })]);
      const [, third] = await captureEvents(db.database.pool, [
        event(user, external, parts, { key }),
        event(user, external, parts, { key }),
      ]);
      expect([again, third]).toEqual(
        [again, third].map(() => expect.objectContaining({ status: 'duplicate', rowId: first?.rowId })),
      );
      expect((await rowsOf(db, first?.sessionId ?? '')).map((row) => [row.seq, row.kind])).toEqual([
        [1, 'prompt'],
        [2, 'boundary'],
      ]);
    }
  });

  test('changes nothing about its session', async () => {
    const state = async () => await db.rows("SELECT * FROM sessions WHERE external_id = 'unchanged'");
    await captureEvents(db.database.pool, [event(user, 'unchanged', [promptPart('a')], { key: 'k', model: 'm' })]);
    await db.write(
      "UPDATE sessions SET status = 'ended', phase = 'settled', ended_at = now() WHERE external_id = 'unchanged'",
    );
    const before = await state();
    await captureEvents(db.database.pool, [
      event(user, 'unchanged', [promptPart('a')], { key: 'k', model: 'other', metadata: { source: 'late' } }),
    ]);
    expect(await state()).toEqual(before);
  });
});
