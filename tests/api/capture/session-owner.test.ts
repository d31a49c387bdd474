import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { TestUser } from '../../setup/database.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { expectError } from '../support/answers.ts';

const instance = fileInstance();
let alice: TestUser;
let mallory: TestUser;

beforeAll(async () => {
  alice = await instance.user();
  mallory = await instance.user({ scopes: ['capture', 'read', 'write'] });
});

const prompt = (session: string, content: string, key = content) => ({
  type: 'prompt',
  host: 'claude-code',
  session_id: session,
  content,
  key,
});
const send = (user: TestUser, body: unknown) => instance.post('/events', body, user.key);

/** What each user's sessions of this name hold, by user. */
async function wordsIn(session: string): Promise<Record<string, string[]>> {
  const rows = await instance.rows<{ user_id: string; words: string[] }>(
    `SELECT s.user_id, array_agg(p.content ORDER BY p.seq) AS words FROM sessions s JOIN prompts p ON p.session_id = s.id AND p.user_id = s.user_id
      WHERE s.external_id = $1 GROUP BY s.user_id`,
    [session],
  );
  return Object.fromEntries(rows.map((row) => [row.user_id, row.words]));
}

const sessionAnswer = z.looseObject({ id: z.string(), title: z.string().nullable() });
const sessionOf = async (user: TestUser, name: string) =>
  sessionAnswer.parse((await instance.get(`/sessions/${name}`, user.key)).body);

/** A transcript of one session, as Claude Code writes it. */
function transcript(session: string, lines: readonly { readonly uuid: string; readonly text: string }[]): string {
  return lines
    .map(({ uuid, text }, n) =>
      JSON.stringify({
        type: 'user',
        uuid,
        parentUuid: null,
        sessionId: session,
        timestamp: new Date(Date.UTC(2026, 0, 2, 3, 4, n)).toISOString(),
        cwd: '/src/shop',
        userType: 'external',
        isSidechain: false,
        message: { role: 'user', content: text },
      }),
    )
    .map((line) => `${line}\n`)
    .join('');
}

async function sendTranscript(user: TestUser, session: string, text: string): Promise<void> {
  const query = new URLSearchParams({
    machine: `machine of ${user.userId}`,
    path: `project/${session}.jsonl`,
    fingerprint: createHash('sha256').update(text).digest('hex').slice(0, 32),
    offset: '0',
    size: String(Buffer.byteLength(text)),
    modified_at: '2026-01-02T03:05:00.000Z',
    quiet_ms: '600000',
  });
  const answer = await instance.call('POST', `/transcripts?${query.toString()}`, {
    key: user.key,
    raw: text,
    headers: { 'content-type': 'application/x-ndjson' },
  });
  expect([answer.status, answer.body]).toEqual([200, expect.anything()]);
}

describe('no user writes into another user’s session', () => {
  test('by an event: it creates a session of the sender, for admins, too', async () => {
    await send(alice, prompt('by-event', 'What Alice wrote'));
    await send(mallory, prompt('by-event', 'What Mallory puts into her mouth'));
    await send(instance.admin, prompt('by-event', 'What the admin wrote'));
    expect(await wordsIn('by-event')).toEqual({
      [alice.userId]: ['What Alice wrote'],
      [mallory.userId]: ['What Mallory puts into her mouth'],
      [instance.admin.userId]: ['What the admin wrote'],
    });
  });

  test('by opening it first: the key of a predicted id blocks nothing', async () => {
    await send(mallory, prompt('predicted', 'Mallory was here first', 'the same key'));
    const answer = await send(alice, prompt('predicted', 'What Alice wrote', 'the same key'));
    expect(answer.body).toMatchObject({ accepted: 1, duplicates: 0 });
    expect((await wordsIn('predicted'))[alice.userId]).toEqual(['What Alice wrote']);
  });

  test('by a hook, or by a batch that is committed with the owner’s', async () => {
    const hook = { session_id: 'by-hook', hook_event_name: 'UserPromptSubmit', prompt: 'hooked', cwd: '/src/shop' };
    const answers = await Promise.all(
      [alice, mallory].map(({ key }) => instance.post('/hooks/UserPromptSubmit', hook, key)),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(await wordsIn('by-hook')).toEqual({ [alice.userId]: ['hooked'], [mallory.userId]: ['hooked'] });
  });

  test('by a transcript: it removes no prompt, and claims none of the lines', async () => {
    const session = '018f0000-0000-7000-8000-00000000a11c';
    await send(alice, prompt(session, 'Make the rounding half even'));
    const lines = [
      { uuid: 'aaaaaaaa-0000-4000-8000-000000000001', text: 'Make the rounding half even' },
      { uuid: 'aaaaaaaa-0000-4000-8000-000000000002', text: 'And write a test for it' },
    ];
    await sendTranscript(mallory, session, transcript(session, lines));
    await sendTranscript(mallory, session, transcript(session, lines));
    expect((await wordsIn(session))[alice.userId]).toEqual(['Make the rounding half even']);
    await sendTranscript(alice, session, transcript(session, lines));
    expect((await wordsIn(session))[alice.userId]).toEqual(['Make the rounding half even', 'And write a test for it']);
  });

  test('by switching capture off, or by a title', async () => {
    await send(alice, prompt('steered', 'one'));
    await send(mallory, prompt('steered', 'other'));
    const change = { title: 'Mine now', capture: false };
    await instance.put('/sessions/claude-code:steered', change, mallory.key);
    await send(alice, prompt('steered', 'two'));
    expect((await wordsIn('steered'))[alice.userId]).toEqual(['one', 'two']);
    expect((await sessionOf(alice, 'claude-code:steered')).title).toBeNull();
  });

  test('by forgetting: tombstones refuse the events of their own session alone', async () => {
    await send(mallory, prompt('forgotten', 'We ship on Monday', 'k1'));
    const deleted = await instance.delete('/events/k1?session=claude-code:forgotten', mallory.key);
    expect(deleted.status).toBe(200);
    expectError(await send(mallory, prompt('forgotten', 'We ship on Monday', 'k1')), 'EVENT_FORGOTTEN');
    expect((await send(alice, prompt('forgotten', 'We ship on Monday', 'k1'))).status).toBe(202);
    const { id } = await sessionOf(mallory, 'claude-code:forgotten');
    expect((await instance.delete(`/sessions/${id}`)).status).toBe(200);
    expect((await send(alice, prompt('forgotten', 'And again on Tuesday', 'k2'))).status).toBe(202);
    expect((await wordsIn('forgotten'))[alice.userId]).toEqual(['We ship on Monday', 'And again on Tuesday']);
  });
});

describe('a host’s id of a session', () => {
  test('names one’s own; to an admin without one the only one, or none of several, which are named', async () => {
    const both = ['by-name', 'by-admin'];
    for (const name of both) await send(alice, prompt(name, 'of Alice'));
    expect((await sessionOf(instance.admin, 'claude-code:by-admin')).id).toBe(
      (await sessionOf(alice, 'claude-code:by-admin')).id,
    );
    await send(mallory, prompt('by-name', 'of Mallory'));
    const ids = await Promise.all([alice, mallory].map(async (user) => (await sessionOf(user, 'by-name')).id));
    expect(new Set(ids).size).toBe(2);
    const answer = await instance.get('/sessions/claude-code:by-name');
    expectError(answer, 'CONFLICT');
    expect(answer.body).toMatchObject({
      details: expect.arrayContaining(ids.map((id) => expect.objectContaining({ id }))),
    });
    await send(instance.admin, prompt('by-name', 'of the admin'));
    expect(
      await instance.value('SELECT user_id AS value FROM sessions WHERE id = $1', [
        (await sessionOf(instance.admin, 'claude-code:by-name')).id,
      ]),
    ).toBe(instance.admin.userId);
  });

  test('names no colleague’s: that takes the session’s own id', async () => {
    await send(alice, prompt('only-hers', 'of Alice'));
    const { id } = await sessionOf(alice, 'claude-code:only-hers');
    for (const path of ['', '/prompts', '/observations', '/summaries'])
      expectError(await instance.get(`/sessions/claude-code:only-hers${path}`, mallory.key), 'NOT_FOUND');
    expect((await instance.get(`/sessions/${id}`, mallory.key)).status).toBe(200);
  });

  test('is looked up by one index, by capture and by name', async () => {
    const plans = await Promise.all(
      ['', ` AND user_id = '${alice.userId}'`].map(async (more) => {
        const client = await instance.db.maintenance.connect();
        try {
          await client.query('SET enable_seqscan = off');
          const { rows } = await client.query<{ 'QUERY PLAN': string }>(
            `EXPLAIN SELECT id FROM sessions WHERE tenant_id = '${alice.tenantId}' AND host = 'claude-code' AND external_id = 'only-hers'${more}`,
          );
          return rows.map((row) => row['QUERY PLAN']).join('\n');
        } finally {
          await client.query('RESET enable_seqscan');
          client.release();
        }
      }),
    );
    for (const plan of plans)
      expect(plan).toMatch(/Index (?:Only )?Scan using sessions_tenant_id_host_external_id_user_id_key/);
  });
});
