import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { profileSchema } from '../../../contract/context.ts';
import { newId } from '../../../domain/ids.ts';
import type { TestUser } from '../../setup/database.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { given } from '../support/learnings.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { expectError, bodyOf } from '../support/answers.ts';

const REQUEST = 'Please make the rounding of invoices half even';
const instance = fileInstance();
let colleague: TestUser;

const one = <Value>(sql: string, ...values: unknown[]) => instance.value<Value>(sql, values);

const profileOf = async (query = '', key = instance.admin.key) =>
  bodyOf(profileSchema, await instance.get(`/profile?${query}`, key));

/** A learning as a model would have drawn it from a row. */
async function learned(description: string, rowId: string, quote: string, category = 'best_practice'): Promise<string> {
  const id = newId();
  await instance.write(
    `INSERT INTO learnings (id, tenant_id, project_id, user_id, fingerprint, category, title, description, confidence, valid_from)
     SELECT $1, s.tenant_id, s.project_id, s.user_id, $2, $3, 'T', $4, 0.7, now() FROM prompts p JOIN sessions s ON s.id = p.session_id WHERE p.id = $5`,
    [id, createHash('sha256').update(id).digest(), category, description, rowId],
  );
  await instance.write(
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
  colleague = await instance.user();
  await captured(instance, smallSession('mine'));
  await captured(instance, smallSession('guest', { path: '/src/guest' }), colleague.key);
});

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
    await instance.post(`/learnings/${id}/invalidate`, { reason: 'no more' });
    expect(await texts()).not.toContain('Commit messages are written in the imperative');
  });

  test('has the focus of the last 14 days, with evidence from the rows', async () => {
    const session = await one<string>("SELECT id AS value FROM sessions WHERE external_id = 'mine'");
    const row = await promptOf('mine');
    const todo = JSON.stringify([
      { text: 'Check the rounding of credit notes', evidence: [{ rowId: row, quote: 'rounding of invoices' }] },
    ]);
    const write = (days: number, slot: string, request: string) =>
      instance.write(
        `INSERT INTO summaries (id, tenant_id, session_id, project_id, user_id, slot, type, title, content, request, action_items, model, input_tokens, output_tokens, cost_usd, from_seq, to_seq, occurred_at)
         SELECT $1, tenant_id, id, project_id, user_id, $2, 'session', 'T', 'C', $3, $4::jsonb, 'test', 0, 0, 0, 1, 9, now() - make_interval(days => $5) FROM sessions WHERE id = $6`,
        [newId(), slot, request, todo, days, session],
      );
    await write(15, 'session:1', 'An old request about invoices');
    expect((await profileOf()).focus).toEqual([]);
    await write(1, 'session:2', 'Make the rounding of invoices half even');
    const { focus } = await profileOf();
    expect(focus.map((each) => [each.kind, each.text])).toEqual([
      ['request', 'Make the rounding of invoices half even'],
      ['next_step', 'Check the rounding of credit notes'],
    ]);
    expect(focus.map((each) => each.evidence[0]?.quote)).toEqual([REQUEST, 'rounding of invoices']);
    for (const each of focus) expect(each.evidence[0]).toMatchObject({ row_id: row, session_id: session });
    expect((await profileOf('', colleague.key)).focus).toEqual([]);
    expect((await profileOf('project=/src/guest')).focus).toEqual([]);
    await instance.write("UPDATE sessions SET status = 'deleted' WHERE id = $1", [session]);
    expect(await profileOf()).toMatchObject({ preferences: [], focus: [] });
  });
});

describe('a profile is refused', () => {
  test("of another user to all but admins, and never another tenant's", async () => {
    const get = (query: string, key: string) => instance.get(`/profile?${query}`, key);
    expectError(await get(`user=${instance.admin.userId}`, colleague.key), 'FORBIDDEN');
    expectError(await get('user=unknown', colleague.key), 'FORBIDDEN');
    expect((await get(`user=${colleague.userId}`, colleague.key)).status).toBe(200);
    const stranger = await instance.stranger({ role: 'admin' });
    expectError(await get(`user=${colleague.userId}`, stranger.key), 'NOT_FOUND');
    expectError(await get('project=/src/small', stranger.key), 'NOT_FOUND');
  });
});
