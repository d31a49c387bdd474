import { describe, expect, test } from 'vitest';
import { meSchema, userSchema } from '../../../contract/access.ts';
import { pageOfItems } from '../../../contract/shared.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { untilTrue } from '../../setup/until.ts';
import { WITHIN_CACHE_TIME, accept, invite, join } from '../support/access.ts';
import { bodyOf, expectError } from '../support/answers.ts';
import { noteEvent } from '../support/events.ts';
import { logIn, withPassword } from '../support/log-in.ts';

const instance = fileInstance();

describe('a user', () => {
  test('is added without a password, with an invite, and listed', async () => {
    const { user } = await invite(instance, 'zora');
    expect(user).toMatchObject({ username: 'zora', role: 'user', active: true, email: null });
    expect(user.invite_expires_at).not.toBeNull();
    expect(await instance.value('SELECT password_hash AS value FROM users WHERE id = $1', [user.id])).toBeNull();
    const list = bodyOf(pageOfItems(userSchema), await instance.get('/admin/users?search=zor&limit=1'));
    expect(list).toMatchObject({ data: [{ username: 'zora' }], pagination: { total: 1, has_next: false } });
    expect(bodyOf(pageOfItems(userSchema), await instance.get('/admin/users?search=%25')).data).toEqual([]);
    for (const name of [user.id, 'zora'])
      expect(bodyOf(userSchema, await instance.get(`/admin/users/${name}`)).id).toBe(user.id);
  });

  test('is rejected with a taken name, also if two are added at once; another tenant may use the name', async () => {
    const answers = await Promise.all(
      [1, 2, 3].map(() => instance.post('/admin/users', { username: 'bob', role: 'user' })),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409]);
    for (const answer of answers) if (answer.status === 409) expectError(answer, 'CONFLICT', 'username');
    const stranger = await instance.stranger({ role: 'admin' });
    await invite(instance, 'bob', 'user', stranger.key);
  });

  test('has a role and an email address that admins change', async () => {
    const { id } = await join(instance, 'carol');
    const answer = await instance.put('/admin/users/carol', { role: 'viewer', email: 'carol@example.org' });
    expect(bodyOf(userSchema, answer)).toMatchObject({ id, role: 'viewer', email: 'carol@example.org' });
    expect(bodyOf(userSchema, await instance.put(`/admin/users/${id}`, { email: null })).email).toBeNull();
  });

  test.each([
    ['/admin/users', { username: 'Ada', role: 'user' }, 'username'],
    ['/admin/users', { username: '', role: 'user' }, 'username'],
    ['/admin/users', { username: 'a'.repeat(65), role: 'user' }, 'username'],
    ['/admin/users', { username: 'x', role: 'owner' }, 'role'],
    ['/admin/users', { username: 'x' }, 'role'],
    ['/admin/users', { username: 'x', role: 'user', email: 'no-address' }, 'email'],
    ['/admin/users', { username: 'x', role: 'user', email: `a@${'b'.repeat(253)}` }, 'email'],
    ['/admin/users', { username: 'x', role: 'user', tenant_id: 'other' }, ''],
    ['/auth/invites/accept', { token: 'rci_short' }, 'token'],
    ['/auth/invites/accept', {}, 'token'],
  ])('POST %s with %j is rejected with the field', async (path, body, field) => {
    expectError(await instance.post(path, body), 'VALIDATION_FAILED', field);
  });

  test('cannot be sent as a large body without a key', async () => {
    expectError(await instance.post('/auth/invites/accept', { token: 'x'.repeat(20_000) }, null), 'BODY_TOO_LARGE');
  });
});

describe('deactivation', () => {
  test('stops the keys and the invite, retains the data, and is undone by activation', async () => {
    const { id, api_key: key } = await join(instance, 'dora');
    expect((await instance.post('/events', noteEvent('doras', 'A note'), key)).status).toBe(202);
    const again = await instance.post('/admin/users/dora/invite');
    const token = /"token":"([^"]+)"/.exec(JSON.stringify(again.body))?.[1] ?? '';
    expect(bodyOf(userSchema, await instance.put('/admin/users/dora', { active: false }))).toMatchObject({
      active: false,
      invite_expires_at: null,
    });
    await expect.poll(async () => (await instance.get('/auth/me', key)).status, WITHIN_CACHE_TIME).toBe(401);
    expectError(await accept(instance, token), 'NOT_FOUND', 'token');
    expectError(await instance.post('/admin/users/dora/invite'), 'CONFLICT', 'id');
    expectError(await instance.post('/admin/api-keys', { user: id, name: 'x', scopes: ['read'] }), 'CONFLICT', 'user');
    expect(await instance.count('observations WHERE user_id = $1', [id])).toBe(1);
    const inactive = bodyOf(pageOfItems(userSchema), await instance.get('/admin/users?active=false'));
    expect(inactive.data.map((user) => user.username)).toEqual(['dora']);
    await instance.put('/admin/users/dora', { active: true });
    expect((await instance.get('/auth/me', key)).status).toBe(200);
  });

  test('ends the rights of an admin who becomes a user, without a new key', async () => {
    const { api_key: key } = await join(instance, 'emil', 'admin');
    expect((await instance.get('/admin/users', key)).status).toBe(200);
    await instance.put('/admin/users/emil', { role: 'user' });
    await expect.poll(async () => (await instance.get('/admin/users', key)).status, WITHIN_CACHE_TIME).toBe(403);
    expect(bodyOf(meSchema, await instance.get('/auth/me', key))).toMatchObject({ role: 'user', is_operator: false });
  });
});

describe('the last admin', () => {
  test('cannot be deactivated or demoted; an invited admin without a key does not count', async () => {
    const { key, userId } = await instance.stranger({ role: 'admin' });
    const { user } = await invite(instance, 'second', 'admin', key);
    expectError(await instance.put(`/admin/users/${userId}`, { active: false }, key), 'CONFLICT', 'active');
    expectError(await instance.put(`/admin/users/${userId}`, { role: 'user' }, key), 'CONFLICT', 'role');
    expect(bodyOf(userSchema, await instance.get(`/admin/users/${userId}`, key))).toMatchObject({
      active: true,
      role: 'admin',
    });
    expect((await instance.put(`/admin/users/${user.id}`, { role: 'viewer' }, key)).status).toBe(200);
  });

  test('may be without a key, while a password logs in; without any, changes that take nothing away remain possible', async () => {
    const one = await instance.stranger({ role: 'admin' });
    const two = await instance.db.createUser({ tenantId: one.tenantId, role: 'user' });
    const { access_token: token } = await logIn(instance, await withPassword(instance, one));
    const own = bodyOf(meSchema, await instance.get('/auth/me', one.key)).credential.id;
    expect((await instance.delete(`/admin/api-keys/${own}`, token)).status).toBe(200);
    expect((await instance.put(`/admin/users/${two.userId}`, { active: false }, token)).status).toBe(200);
    expectError(await instance.put(`/admin/users/${one.userId}`, { role: 'user' }, token), 'CONFLICT', 'role');
    await instance.write('UPDATE users SET password_hash = NULL WHERE id = $1', [one.userId]);
    expect((await instance.put(`/admin/users/${two.userId}`, { active: true }, token)).status).toBe(200);
  });

  test('cannot be erased while the other admin has no key', async () => {
    const { key, userId } = await instance.stranger({ role: 'admin' });
    await invite(instance, 'keyless', 'admin', key);
    const answer = await instance.post('/gdpr/erase', { kind: 'user', user: userId }, key);
    expectError(answer, 'CONFLICT');
    expect(JSON.stringify(answer.body)).toContain('no other admin');
  });

  test('remains if two admins deactivate each other at once', async () => {
    const one = await instance.stranger({ role: 'admin' });
    const two = await instance.db.createUser({ tenantId: one.tenantId, role: 'admin' });
    await Promise.all([
      instance.put(`/admin/users/${two.userId}`, { active: false }, one.key),
      instance.put(`/admin/users/${one.userId}`, { active: false }, two.key),
    ]);
    expect(await instance.count('users WHERE tenant_id = $1 AND active', [one.tenantId])).toBe(1);
  });
});

test('erasure of a user deletes the keys and invites', async () => {
  const { id } = await join(instance, 'erased');
  await instance.post('/admin/users/erased/invite');
  const stop = await instance.startWorker();
  await instance.post('/gdpr/erase', { kind: 'user', user: id });
  await untilTrue(async () => (await instance.count('users WHERE id = $1', [id])) === 0);
  for (const table of ['api_keys', 'user_invites'])
    expect(await instance.count(`${table} WHERE user_id = $1 OR created_by = $1`, [id])).toBe(0);
  await stop();
});

test('users of another tenant do not exist, and their fields cannot be set', async () => {
  const stranger = await instance.stranger({ role: 'admin' });
  const { id } = await join(instance, 'hidden');
  expectError(await instance.get(`/admin/users/${id}`, stranger.key), 'NOT_FOUND', 'user');
  expectError(await instance.put(`/admin/users/${id}`, { active: false }, stranger.key), 'NOT_FOUND', 'user');
  expectError(await instance.post(`/admin/users/${id}/invite`, undefined, stranger.key), 'NOT_FOUND', 'user');
  expectError(
    await instance.post('/admin/api-keys', { user: id, name: 'x', scopes: ['read'] }, stranger.key),
    'NOT_FOUND',
    'user',
  );
  expect(JSON.stringify((await instance.get('/admin/users', stranger.key)).body)).not.toContain('hidden');
});
