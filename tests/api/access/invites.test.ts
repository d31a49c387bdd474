import { describe, expect, test } from 'vitest';
import { acceptedInvite, invitedAnswer, keySchema, meSchema } from '../../../contract/access.ts';
import { pageOfItems } from '../../../contract/shared.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { accept, createdIn, invite, join } from '../support/access.ts';
import { bodyOf, expectError } from '../support/answers.ts';
import { PASSWORD } from '../support/log-in.ts';

const instance = fileInstance();

describe('an invite', () => {
  test('works once, if 20 accept it at once', async () => {
    const { user, invite: sent } = await invite(instance, 'ada');
    const answers = await Promise.all(Array.from({ length: 20 }, () => accept(instance, sent.token)));
    const won = answers.filter(({ status }) => status === 201);
    expect(won).toHaveLength(1);
    for (const answer of answers) if (answer.status !== 201) expectError(answer, 'NOT_FOUND', 'token');
    expect(await instance.count('api_keys WHERE user_id = $1', [user.id])).toBe(3);
    const recorded = await instance.rows(
      "SELECT actor_id, status FROM audit_log WHERE action = 'POST /auth/invites/accept' AND actor_id = $1",
      [user.id],
    );
    expect(recorded).toEqual([{ actor_id: user.id, status: 201 }]);
  });

  test('is answered alike if it is unknown, accepted, expired or replaced', async () => {
    const expired = await invite(instance, 'bob');
    await instance.write("UPDATE user_invites SET expires_at = now() - interval '1 second' WHERE user_id = $1", [
      expired.user.id,
    ]);
    const accepted = await invite(instance, 'carol');
    await accept(instance, accepted.invite.token);
    const replaced = await invite(instance, 'dora');
    const newer = createdIn(invitedAnswer, await instance.post('/admin/users/dora/invite'));
    const tokens = [`rci_${'x'.repeat(43)}`, ...[expired, accepted, replaced].map((each) => each.invite.token)];
    const bodies = await Promise.all(
      tokens.map(async (token) => {
        const { status, body } = await accept(instance, token);
        return JSON.stringify({ status, body }).replace(/"request_id":"[^"]+"/, '');
      }),
    );
    expect(new Set(bodies).size).toBe(1);
    expect(bodies[0]).toContain('"status":404');
    expect((await accept(instance, newer.invite.token)).status).toBe(201);
  });

  test('lasts seven days and is stored as a hash', async () => {
    const { user, invite: sent } = await invite(instance, 'emil');
    const days = (Date.parse(sent.expires_at) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(6.99);
    expect(days).toBeLessThanOrEqual(7);
    const row = JSON.stringify(await instance.rows('SELECT * FROM user_invites WHERE user_id = $1', [user.id]));
    expect(row).not.toContain(sent.token.slice(4));
  });

  test.each([
    ['admin', ['capture', 'read', 'write', 'admin'], ['capture', 'read'], ['read', 'write']],
    ['user', ['capture', 'read', 'write'], ['capture', 'read'], ['read', 'write']],
    ['viewer', ['read'], ['read'], ['read']],
  ] as const)('of a role %s gives keys with the scopes %j, %j and %j', async (role, own, agent, agentWrite) => {
    const keys = await join(instance, `role-${role}`, role);
    expect(keys).toMatchObject({ username: `role-${role}`, role });
    for (const [key, scopes] of [
      [keys.api_key, own],
      [keys.agent_api_key, agent],
      [keys.agent_write_api_key, agentWrite],
    ] as const)
      expect(bodyOf(meSchema, await instance.get('/auth/me', key))).toMatchObject({
        user: { id: keys.id, username: `role-${role}` },
        tenant: { id: instance.admin.tenantId },
        role,
        scopes,
        credential: { kind: 'key', expires_at: null },
        is_operator: role === 'admin' && key === keys.api_key,
      });
    const list = bodyOf(pageOfItems(keySchema), await instance.get(`/admin/api-keys?user=role-${role}`));
    expect(list.data.map(({ name }) => name).toSorted()).toEqual(['agent', 'agent-write', 'own']);
  });

  test('of a user with keys adds keys and leaves the others', async () => {
    const keys = await join(instance, 'twice');
    const { invite: sent } = createdIn(invitedAnswer, await instance.post('/admin/users/twice/invite'));
    const more = createdIn(acceptedInvite, await accept(instance, sent.token));
    for (const key of [keys.api_key, more.api_key]) expect((await instance.get('/auth/me', key)).status).toBe(200);
  });

  test('sets the first password of a viewer, which no key of a viewer does; the current one sets the next', async () => {
    const viewer = await join(instance, 'vera', 'viewer');
    for (const key of [viewer.api_key, viewer.agent_api_key])
      expectError(await instance.put('/auth/password', { password: PASSWORD }, key), 'FORBIDDEN');
    const { invite: sent } = createdIn(invitedAnswer, await instance.post('/admin/users/vera/invite'));
    const body = { token: sent.token, password: PASSWORD };
    expect((await instance.post('/auth/invites/accept', body, null)).status).toBe(201);
    const next = { password: `${PASSWORD} two`, current_password: PASSWORD };
    expect((await instance.put('/auth/password', next, viewer.api_key)).status).toBe(200);
  });
});
