import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { newId } from '../../../domain/ids.ts';
import { createTestUser } from '../../setup/database.ts';
import type { TestUser } from '../../setup/database.ts';
import { startTestInstance } from '../../setup/instance.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { valueOf } from '../../stores/postgres/support/captures.ts';
import { errorOf } from '../support/answers.ts';
import { given } from '../support/learnings.ts';

const REQUEST = 'Please make the rounding of invoices half even';
let instance: TestInstance;
let colleague: TestUser;

const line = z.looseObject({
  text: z.string(),
  evidence: z.array(
    z.object({ row_id: z.string(), session_id: z.string().nullable(), quote: z.string(), occurred_at: z.string() }),
  ),
});
const profile = z.looseObject({
  user: z.object({ id: z.string(), username: z.string() }),
  project: z.object({ id: z.string(), name: z.string() }).nullable(),
  preferences: z.array(line),
  focus: z.array(line),
});

const one = <Value>(sql: string, ...values: unknown[]) => valueOf<Value>(instance.db.superuser, sql, values);

async function profileOf(query = '', key = instance.admin.key) {
  const answer = await instance.call('GET', `/profile?${query}`, { key });
  expect([answer.status, answer.body]).toEqual([200, expect.anything()]);
  return profile.parse(answer.body);
}

/** A learning as a model would have drawn it from a row. */
async function learned(description: string, rowId: string, quote: string, category = 'best_practice'): Promise<string> {
  const id = newId();
  const { superuser } = instance.db;
  await superuser.query(
    `INSERT INTO learnings (id, tenant_id, project_id, user_id, fingerprint, category, title, description, confidence, valid_from)
     SELECT $1, s.tenant_id, s.project_id, s.user_id, $2, $3, 'T', $4, 0.7, now() FROM prompts p JOIN sessions s ON s.id = p.session_id WHERE p.id = $5`,
    [id, createHash('sha256').update(id).digest(), category, description, rowId],
  );
  await superuser.query(
    `INSERT INTO learning_evidence (learning_id, row_id, quote_sha256, tenant_id, session_id, quote)
     SELECT $1, p.id, sha256(convert_to($3::text, 'UTF8')), p.tenant_id, p.session_id, $3::text FROM prompts p WHERE p.id = $2`,
    [id, rowId, quote],
  );
  return id;
}

async function promptOf(session: string, type = 'user'): Promise<string> {
  const sql =
    'SELECT p.id AS value FROM prompts p JOIN sessions s ON s.id = p.session_id WHERE s.external_id = $1 AND p.type = $2';
  return (await one<string>(sql, session, type)) ?? '';
}

beforeAll(async () => {
  instance = await startTestInstance();
  colleague = await createTestUser(instance.db.superuser, { tenantId: instance.admin.tenantId });
  await captured(instance, smallSession('mine'));
  await captured(instance, smallSession('guest', { path: '/src/guest' }), colleague.key);
});
afterAll(() => instance.close());

describe('a profile', () => {
  test('of a user without lasting statements is empty, and names the user', async () => {
    expect(await profileOf()).toEqual({
      user: { id: instance.admin.userId, username: instance.admin.userId },
      project: null,
      preferences: [],
      focus: [],
    });
  });

  test('lists statements of the user, each with row, quote, session and time', async () => {
    const row = await promptOf('mine');
    const session = await one<string>("SELECT id AS value FROM sessions WHERE external_id = 'mine'");
    const id = await learned("The user's rule: invoices are rounded half even", row, 'rounding of invoices half even');
    await learned('The assistant rounded', await promptOf('mine', 'assistant'), 'Invoices are rounded half even now.');
    await learned('An error of the user', row, 'rounding', 'error');
    await learned('Written by a colleague', await promptOf('guest'), 'rounding of invoices');
    const { preferences } = await profileOf();
    expect(preferences).toEqual([
      {
        text: "The user's rule: invoices are rounded half even",
        category: 'best_practice',
        learning_ids: [id],
        verified: false,
        confidence: expect.closeTo(0.7, 5),
        sessions: 1,
        evidence: [
          {
            row_id: row,
            session_id: session,
            quote: 'rounding of invoices half even',
            occurred_at: expect.stringMatching(/^20.*Z$/),
          },
        ],
      },
    ]);
    expect((await profileOf('project=/src/guest')).preferences).toEqual([]);
    expect((await profileOf('project=/src/small')).preferences).toEqual(preferences);
    const others = await profileOf(`user=${colleague.userId}`);
    expect(others.preferences.map((each) => each.text)).toEqual(['Written by a colleague']);
    expect((await profileOf('', colleague.key)).preferences).toEqual(others.preferences);
  });

  test('has what was given by hand, and loses what does not hold any more', async () => {
    const { id } = await given(instance, 'Commit messages are written in the imperative', { category: 'general' });
    const texts = async () => (await profileOf()).preferences.map((each) => each.text);
    expect(await texts()).toContain('Commit messages are written in the imperative');
    const handed = (await profileOf()).preferences.find((each) => each.text.startsWith('Commit'));
    expect(handed?.evidence).toMatchObject([{ row_id: id, session_id: null }]);
    await instance.call('POST', `/learnings/${id}/invalidate`, { body: { reason: 'no more' } });
    expect(await texts()).not.toContain('Commit messages are written in the imperative');
  });

  test('has the focus of the last 14 days, with evidence from the rows', async () => {
    const session = await one<string>("SELECT id AS value FROM sessions WHERE external_id = 'mine'");
    const row = await promptOf('mine');
    const todo = JSON.stringify([
      { text: 'Check the rounding of credit notes', evidence: [{ rowId: row, quote: 'rounding of invoices' }] },
    ]);
    const write = (days: number, slot: string, request: string) =>
      instance.db.superuser.query(
        `INSERT INTO summaries (id, tenant_id, session_id, project_id, user_id, slot, type, title, content, request, action_items, model, input_tokens, output_tokens, cost_usd, from_seq, to_seq, occurred_at)
         SELECT $1, tenant_id, id, project_id, user_id, $2, 'session', 'T', 'C', $3, $4::jsonb, 'test', 0, 0, 0, 1, 9, now() - make_interval(days => $5) FROM sessions WHERE id = $6`,
        [newId(), slot, request, todo, days, session],
      );
    await write(15, 'session:1', 'An old request about invoices');
    expect((await profileOf()).focus).toEqual([]);
    await write(1, 'session:2', 'Make the rounding of invoices half even');
    const { focus } = await profileOf();
    expect(focus.map((each) => [each['kind'], each.text])).toEqual([
      ['request', 'Make the rounding of invoices half even'],
      ['next_step', 'Check the rounding of credit notes'],
    ]);
    expect(focus.map((each) => each.evidence[0]?.quote)).toEqual([REQUEST, 'rounding of invoices']);
    for (const each of focus) expect(each.evidence[0]).toMatchObject({ row_id: row, session_id: session });
    expect((await profileOf('', colleague.key)).focus).toEqual([]);
    expect((await profileOf('project=/src/guest')).focus).toEqual([]);
    await instance.db.superuser.query("UPDATE sessions SET status = 'deleted' WHERE id = $1", [session]);
    expect(await profileOf()).toMatchObject({ preferences: [], focus: [] });
  });
});

describe('a profile is refused', () => {
  test("of another user to all but admins, and never another tenant's", async () => {
    const get = (query: string, key: string) => instance.call('GET', `/profile?${query}`, { key });
    expect(errorOf(await get(`user=${instance.admin.userId}`, colleague.key)).code).toBe('FORBIDDEN');
    expect(errorOf(await get('user=unknown', colleague.key)).code).toBe('FORBIDDEN');
    expect((await get(`user=${colleague.userId}`, colleague.key)).status).toBe(200);
    const stranger = await createTestUser(instance.db.superuser, { role: 'admin' });
    expect(errorOf(await get(`user=${colleague.userId}`, stranger.key)).code).toBe('NOT_FOUND');
    expect(errorOf(await get('project=/src/small', stranger.key)).code).toBe('NOT_FOUND');
    expect(errorOf(await get(`user=${'x'.repeat(257)}`, instance.admin.key)).fields).toEqual(['user']);
    expect(errorOf(await get('project=', instance.admin.key)).fields).toEqual(['project']);
  });
});
