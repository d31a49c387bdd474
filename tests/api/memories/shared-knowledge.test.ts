import { beforeAll, describe, expect, test } from 'vitest';
import { meSchema } from '../../../contract/access.ts';
import { learningSchema } from '../../../contract/learnings.ts';
import { newId } from '../../../domain/ids.ts';
import type { TestUser } from '../../setup/database.ts';
import { startTestInstance } from '../../setup/instance.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { given } from '../support/learnings.ts';
import type { LearningAnswer } from '../support/learnings.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { bodyOf, expectError } from '../support/answers.ts';

const instance = fileInstance();
let alice: TestUser;
let bob: TestUser;

beforeAll(async () => {
  alice = await instance.user();
  bob = await instance.user();
  await captured(instance, smallSession('hers', { path: '/src/hers' }), alice.key);
});

const read = async (id: string, key = instance.admin.key): Promise<LearningAnswer> =>
  learningSchema.parse((await instance.get(`/learnings/${id}`, key)).body);
const mayVerify = (at: TestInstance, users: readonly TestUser[]) =>
  Promise.all(users.map(async ({ key }) => bodyOf(meSchema, await at.get('/auth/me', key)).may_verify));
let n = 0;
const ofAlice = (more: Readonly<Record<string, unknown>> = {}) =>
  given(instance, `The retry limit of service ${(n += 1)} is five`, more, { key: alice.key });

describe('shared knowledge is changed by its owner and admins alone', () => {
  const CHANGES = [
    ['correct', 'PUT', '', { description: 'The retry limit is fifty' }],
    ['close', 'POST', '/invalidate', { reason: 'not so' }],
    ['replace', 'POST', '/supersede', { by: { title: 'New', description: 'Retries are off' }, reason: 'new' }],
    ['delete', 'DELETE', '', undefined],
  ] as const;

  test.each(CHANGES)('%s a learning', async (_what, method, path, body) => {
    const { id } = await ofAlice();
    const before = await read(id);
    const change = (key: string) => instance.call(method, `/learnings/${id}${path}`, { key, body });
    expectError(await change(bob.key), 'FORBIDDEN');
    expect(await read(id)).toEqual(before);
    expect((await change(alice.key)).status).toBe(200);
  });

  test.each([
    ['correct', 'PUT', { content: 'The retry limit is fifty-one' }],
    ['weigh', 'PUT', { importance: 0.1 }],
    ['forget', 'DELETE', undefined],
  ] as const)('%s a memory, by its id and by its hash', async (_what, method, body) => {
    const { id } = await ofAlice();
    const before = await read(id);
    const shown = (await instance.get(`/memories/${id}`, bob.key)).body;
    const { hash } = JSON.parse(JSON.stringify(shown)) as { hash: string };
    for (const name of [id, hash])
      expectError(await instance.call(method, `/memories/${name}`, { key: bob.key, body }), 'FORBIDDEN');
    const correction = body ?? { tags: ['other'] };
    // An admin decides on it.
    const requested = await instance.post('/gdpr/rectify', { id, correction }, bob.key);
    expect(requested).toMatchObject({ status: 202, body: { state: 'waiting' } });
    expect(await read(id)).toEqual(before);
    expect((await instance.call(method, `/memories/${id}`, { body })).status).toBe(200);
  });

  test('an admin’s correction leaves it its owner’s, who may correct it again', async () => {
    const { id } = await ofAlice();
    const corrected = await instance.put(`/learnings/${id}`, { description: 'It is six' });
    const { id: next } = learningSchema.parse(corrected.body);
    const again = await instance.put(`/learnings/${next}`, { description: 'It is seven of them' }, alice.key);
    expect(again.status).toBe(200);
  });

  test('versions that another user made do not go with one’s own', async () => {
    const old = await ofAlice();
    const own = await given(instance, 'Bob’s next version of it', {}, { key: bob.key });
    await instance.write('UPDATE learnings SET previous_id = $1, version = 2 WHERE id = $2', [old.id, own.id]);
    for (const path of [`/learnings/${own.id}`, `/memories/${own.id}`])
      expectError(await instance.delete(path, bob.key), 'FORBIDDEN');
  });

  test('a remembered text closes and rewrites nothing of another user’s', async () => {
    const remember = (key: string, content: string, project: string) =>
      instance.post('/memories', { content, project, infer: true }, key);
    for (const [project, key, open] of [
      ['shared-a', bob.key, true],
      ['shared-b', alice.key, false],
      ['shared-c', instance.admin.key, false],
    ] as const) {
      const response = await remember(alice.key, 'Always use tabs for indentation', project);
      expect(response.status).toBe(201);
      const spoken = await remember(key, 'Never use tabs for indentation', project);
      expect(spoken.status).toBe(201);
      expect([
        project,
        await instance.value(
          `SELECT valid_to IS NULL AS value FROM learnings l JOIN projects p ON p.id = l.project_id
            WHERE p.display_name = $1 AND l.description LIKE 'Always use%'`,
          [project],
        ),
      ]).toEqual([project, open]);
    }
  });

  test('verifying and taking it back are for admins', async () => {
    const { id } = await ofAlice();
    for (const { key } of [alice, bob])
      for (const change of ['verify', 'unverify'])
        expectError(await instance.post(`/learnings/${id}/${change}`, {}, key), 'FORBIDDEN');
    const note = 'I looked';
    expect((await instance.post(`/learnings/${id}/verify`, { note })).body).toMatchObject({ verified: true });
    const none = {
      verified: false,
      verified_by: null,
      verified_at: null,
      verify_note: null,
      version: 1,
      valid_to: null,
    };
    // Again: nothing to take back.
    for (let times = 0; times < 2; times += 1)
      expect((await instance.post(`/learnings/${id}/unverify`)).body).toMatchObject({ id, ...none });
    expect(
      await instance.rows(
        "SELECT actor_id, status FROM audit_log WHERE subject_id = $1 AND action = 'POST /learnings/:id/unverify' AND status = 200",
        [id],
      ),
    ).toEqual([1, 2].map(() => ({ actor_id: instance.admin.userId, status: 200 })));
    await instance.post(`/learnings/${id}/invalidate`, { reason: 'over' });
    expectError(await instance.post(`/learnings/${id}/unverify`), 'CONFLICT');
    expectError(await instance.post(`/learnings/${newId()}/unverify`), 'NOT_FOUND');
  });

  test('a user reads whether the credential may verify', async () => {
    const reader = await instance.user({ role: 'admin', scopes: ['read', 'admin'] });
    const viewer = await instance.user({ role: 'viewer' });
    expect(await mayVerify(instance, [instance.admin, alice, reader, viewer])).toEqual([true, false, false, false]);
  });

  test('a project is renamed and merged by admins, or by the one user whose all of it is', async () => {
    await captured(instance, smallSession('bobs', { path: '/src/bobs' }), bob.key);
    await captured(instance, smallSession('bobs too', { path: '/src/bobs-too' }), bob.key);
    const rename = (key: string, id: string) =>
      instance.put(`/projects/${encodeURIComponent(id)}`, { display_name: 'taken' }, key);
    expectError(await rename(bob.key, '/src/hers'), 'FORBIDDEN');
    const merge = (key: string, from: string, into: string) =>
      instance.post(`/projects/${encodeURIComponent(from)}/merge`, { into }, key);
    for (const [from, into] of [
      ['/src/hers', '/src/bobs'],
      ['/src/bobs', '/src/hers'],
    ] as const)
      expectError(await merge(bob.key, from, into), 'FORBIDDEN');
    expect((await rename(bob.key, '/src/bobs')).status).toBe(200);
    expect((await merge(bob.key, '/src/bobs', '/src/bobs-too')).status).toBe(200);
    expect((await rename(instance.admin.key, '/src/hers')).status).toBe(200);
  });
});

test('where the setting lets them, users verify', async () => {
  const open = await startTestInstance({ RECOLLECT_USERS_VERIFY: 'true' }, []);
  try {
    const user = await open.user();
    const { id } = await given(open, 'The cache stores ten entries');
    const answer = await open.post(`/learnings/${id}/verify`, {}, user.key);
    expect(answer.body).toMatchObject({ verified: true, verified_by: user.userId });
    expect((await open.post(`/learnings/${id}/unverify`, undefined, user.key)).body).toMatchObject({ verified: false });
    const [viewer, agent] = [await open.user({ role: 'viewer' }), await open.user({ scopes: ['capture', 'read'] })];
    expect(await mayVerify(open, [user, viewer, agent])).toEqual([true, false, false]);
  } finally {
    await open.close();
  }
});

describe('quotes of private rows are shown to their owner and admins', () => {
  const SECRET = 'rounding of invoices half even';
  const quotedBy = (answer: { readonly body: unknown }) => JSON.stringify(answer.body).includes(SECRET);

  test('in learnings: in the list, on their page, and in what a change answers', async () => {
    const row = await instance.value<string>(
      "SELECT id AS value FROM prompts WHERE user_id = $1 AND content LIKE 'Please make%'",
      [alice.userId],
    );
    const { id } = await given(
      instance,
      'Invoices follow the rules of the bank',
      { evidence: [{ row_id: row, quote: SECRET }] },
      { key: alice.key },
    );
    for (const path of [`/learnings/${id}`, '/learnings?limit=100', '/learnings?q=bank']) {
      const shown = await Promise.all(
        [alice, bob, instance.admin].map(async ({ key }) => quotedBy(await instance.get(path, key))),
      );
      expect([path, shown]).toEqual([path, [true, false, true]]);
    }
    expect((await instance.get(`/learnings/${id}`, bob.key)).body).toMatchObject({
      evidence: [{ row_id: row, quote: null }],
    });
    for (const path of [
      `/memories/${id}`,
      '/search?q=rules+of+the+bank&explain=true',
      `/timeline?anchor=${id}`,
      '/graph',
    ])
      expect([path, quotedBy(await instance.get(path, bob.key))]).toEqual([path, false]);
  });

  test('in summaries: in the text, the key points and the tasks', async () => {
    const rows = await instance.rows<{ session: string; row: string }>(
      "SELECT session_id AS session, id AS row FROM prompts WHERE user_id = $1 AND content LIKE 'Please make%'",
      [alice.userId],
    );
    const { session = '', row = '' } = rows[0] ?? {};
    const evidence = [{ rowId: row, quote: SECRET }];
    const cited = JSON.stringify([{ text: 'A point', evidence }]);
    const id = newId();
    await instance.write(
      `INSERT INTO summaries (id, tenant_id, session_id, user_id, slot, type, title, content, key_points, action_items, evidence, model, input_tokens, output_tokens, cost_usd, from_seq, to_seq, occurred_at)
       VALUES ($1, $2, $3, $4, 'topic:1', 'topic', 'A topic', 'What it is about', $5, $5, $6, 'm', 0, 0, 0, 1, 2, now())`,
      [id, alice.tenantId, session, alice.userId, cited, JSON.stringify(evidence)],
    );
    for (const path of [`/summaries/${id}`, `/sessions/${session}/summaries`]) {
      const shown = await Promise.all(
        [alice, bob, instance.admin].map(async ({ key }) => quotedBy(await instance.get(path, key))),
      );
      expect([path, shown]).toEqual([path, [true, false, true]]);
    }
  });
});
