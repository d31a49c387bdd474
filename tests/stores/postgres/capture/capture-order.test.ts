import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { captureEvents } from '../../../../stores/postgres/capture/capture.ts';
import { fileDatabase, fileUser } from '../../../setup/database.ts';
import { ended, event, noted, rowsOf, promptPart } from '../support/captures.ts';

const db = fileDatabase();
const user = fileUser(db);

describe('the order of a session', () => {
  test('one sequence runs over prompts, observations and boundaries, without gaps, over batches', async () => {
    const first = await captureEvents(db.database.pool, [
      event(user, 'order', [ended('session_start')]),
      event(user, 'order', [promptPart('one')]),
      event(user, 'order', [noted('two')]),
    ]);
    const second = await captureEvents(db.database.pool, [
      event(user, 'order', [promptPart('three', 'assistant'), ended()]),
      event(user, 'order', [noted('four')]),
    ]);
    expect([...first, ...second].map(({ status, seq }) => [status, seq])).toEqual([
      ['accepted', 1],
      ['accepted', 2],
      ['accepted', 3],
      ['accepted', 4],
      ['accepted', 6],
    ]);
    const rows = await rowsOf(db, first[0]?.sessionId ?? '');
    expect(rows.map((row) => [row.seq, row.kind, row.content])).toEqual([
      [1, 'boundary', 'session_start'],
      [2, 'prompt', 'one'],
      [3, 'observation', 'two'],
      [4, 'prompt', 'three'],
      [5, 'boundary', 'turn_end'],
      [6, 'observation', 'four'],
    ]);
    expect(second.map((outcome) => outcome.rowId)).toEqual([rows[3]?.id, rows[5]?.id]);
  });

  test('sessions in one batch are numbered apart', async () => {
    const outcomes = await captureEvents(db.database.pool, [
      event(user, 'apart-1', [promptPart('a')]),
      event(user, 'apart-2', [promptPart('a')]),
      event(user, 'apart-1', [promptPart('b')]),
      event(user, 'apart-2', [promptPart('b')]),
    ]);
    expect(outcomes.map((outcome) => outcome.seq)).toEqual([1, 1, 2, 2]);
    expect(outcomes[0]?.sessionId).toBe(outcomes[2]?.sessionId);
    expect(outcomes[0]?.sessionId).not.toBe(outcomes[1]?.sessionId);
  });

  test('the session counts its rows, and stores its newest model and metadata', async () => {
    await captureEvents(db.database.pool, [
      event(user, 'counted', [ended('session_start')], { model: 'first', metadata: { source: 'startup', merged: 1 } }),
      event(user, 'counted', [promptPart('abcdefgh')]),
      event(user, 'counted', [noted('abcd')]),
    ]);
    await captureEvents(db.database.pool, [
      event(user, 'counted', [ended('session_start')], { model: 'second', metadata: { source: 'resume' } }),
    ]);
    const row = await db.rows(
      "SELECT prompt_count, observation_count, token_count, last_seq, consumed_seq, model, metadata FROM sessions WHERE external_id = 'counted'",
    );
    expect(row).toEqual([
      {
        prompt_count: 1,
        observation_count: 1,
        token_count: 3,
        last_seq: 4,
        consumed_seq: 0,
        model: 'second',
        metadata: { source: 'resume', merged: 1 },
      },
    ]);
  });
});

describe('the contents of a row', () => {
  const occurredAt = '2026-01-02T03:04:05.678Z';

  test('a tool call is stored with everything that was rendered from it', async () => {
    const call = {
      kind: 'tool',
      event: 'PostToolUse',
      name: 'Edit',
      input: { file_path: '/src/a.ts', old_string: 'a', new_string: 'b' },
      response: 'done',
      error: null,
      durationMs: 12,
      importance: 0.75,
      tags: ['one', 'two'],
    } as const;
    const [outcome] = await captureEvents(db.database.pool, [
      event(user, 'landed', [call], { key: 'tool:1', occurredAt, agent: { id: 'a1', type: 'explorer' } }),
    ]);
    const row = await db.rows(
      `SELECT id, tenant_id, user_id, type, event, tool, title, content, preview, input, importance, tags, files_read, files_modified, agent_id, agent_type, key, duration_ms, data_class, occurred_at
         FROM observations WHERE session_id = $1`,
      [outcome?.sessionId],
    );
    expect(row).toEqual([
      {
        id: outcome?.rowId,
        tenant_id: user.tenantId,
        user_id: user.userId,
        type: 'tool_result',
        event: 'PostToolUse',
        tool: 'Edit',
        title: 'Edit: /src/a.ts',
        content: '/src/a.ts\n- a\n+ b\n\ndone',
        preview: '/src/a.ts - a + b done',
        input: { file_path: '/src/a.ts', old_string: 'a', new_string: 'b' },
        importance: 0.75,
        tags: ['one', 'two'],
        files_read: [],
        files_modified: ['/src/a.ts'],
        agent_id: 'a1',
        agent_type: 'explorer',
        key: 'tool:1',
        duration_ms: 12,
        data_class: 'internal',
        occurred_at: new Date(occurredAt),
      },
    ]);
  });

  test('a prompt is stored with its hash, its time and the time of its receipt', async () => {
    const receivedAt = new Date('2026-02-03T04:05:06.789Z');
    const [outcome] = await captureEvents(db.database.pool, [
      event(user, 'landed-prompt', [promptPart('words', 'system')], { occurredAt }, receivedAt),
    ]);
    const row = await db.rows('SELECT type, content, sha256, occurred_at, created_at FROM prompts WHERE id = $1', [
      outcome?.rowId,
    ]);
    expect(row).toEqual([
      {
        type: 'system',
        content: 'words',
        sha256: createHash('sha256').update('words').digest(),
        occurred_at: new Date(occurredAt),
        created_at: receivedAt,
      },
    ]);
  });

  test('an observation belongs to the last user prompt before it, across batches, and to none before the first', async () => {
    const outcomes = await captureEvents(db.database.pool, [
      event(user, 'linked', [noted('before')]),
      event(user, 'linked', [promptPart('first')]),
      event(user, 'linked', [noted('of first')]),
      event(user, 'linked', [promptPart('answer', 'assistant')]),
      event(user, 'linked', [noted('still of first')]),
    ]);
    const later = await captureEvents(db.database.pool, [
      event(user, 'linked', [noted('of first, later')]),
      event(user, 'linked', [promptPart('second')]),
      event(user, 'linked', [noted('of second')]),
    ]);
    const [first, second] = [outcomes[1]?.rowId, later[1]?.rowId];
    const observations = (await rowsOf(db, outcomes[0]?.sessionId ?? '')).filter((row) => row.kind === 'observation');
    expect(observations.map((row) => [row.content, row.prompt_id])).toEqual([
      ['before', null],
      ['of first', first],
      ['still of first', first],
      ['of first, later', first],
      ['of second', second],
    ]);
  });

  test('every row has its key, in the part of its session', async () => {
    const [outcome] = await captureEvents(db.database.pool, [
      event(user, 'keyed', [promptPart('words', 'assistant'), ended()], { key: 'delivery' }),
    ]);
    const keys = await db.rows(
      'SELECT key, seq, kind, tenant_id FROM capture_keys WHERE session_id = $1 ORDER BY seq',
      [outcome?.sessionId],
    );
    expect(keys).toEqual([
      { key: 'delivery', seq: 1, kind: 'prompt', tenant_id: user.tenantId },
      { key: 'delivery\u001f2', seq: 2, kind: 'boundary', tenant_id: user.tenantId },
    ]);
    expect(
      await db.value('SELECT count(DISTINCT tableoid)::integer AS value FROM capture_keys WHERE session_id = $1', [
        outcome?.sessionId,
      ]),
    ).toBe(1);
  });
});
