import { describe, expect, test } from 'vitest';
import { keySchema, rotatedKey } from '../../../contract/access.ts';
import { pageOfItems } from '../../../contract/shared.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { WITHIN_CACHE_TIME, createdIn, makeKey } from '../support/access.ts';
import { bodyOf, expectError } from '../support/answers.ts';
import { logIn, PASSWORD, withPassword } from '../support/log-in.ts';

const instance = fileInstance();
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
const statusOf = async (key: string) => (await instance.get('/auth/me', key)).status;

describe('the own keys of a user', () => {
  const listed = async (secret: string) =>
    bodyOf(pageOfItems(keySchema), await instance.get('/auth/api-keys', secret)).data;

  test.each(['user', 'viewer'] as const)(
    'of the role %s are listed, rotated and revoked without an admin',
    async (role) => {
      const { key, userId } = await instance.user({ role, scopes: ['read'] });
      const [mine, ...others] = await listed(key);
      expect([mine?.user_id, others]).toEqual([userId, []]);
      const next = createdIn(rotatedKey, await instance.post(`/auth/api-keys/${mine?.id}/rotate`, {}, key));
      expect(next.key).toMatchObject({ scopes: mine?.scopes, created_by: userId });
      const old = bodyOf(keySchema, await instance.delete(`/auth/api-keys/${mine?.id}`, next.api_key));
      expect(old.revoked_at).not.toBeNull();
      await expect.poll(() => statusOf(key), WITHIN_CACHE_TIME).toBe(401);
      expect((await listed(next.api_key)).map(({ id }) => id)).toEqual([next.key.id]);
    },
  );

  test('rotated by a session do not end with its access token', async () => {
    const user = await instance.user({ scopes: ['capture', 'read', 'write'] });
    const session = await logIn(instance, await withPassword(instance, user));
    const [mine] = await listed(session.access_token);
    const answer = await instance.post(`/auth/api-keys/${mine?.id}/rotate`, {}, session.access_token);
    expect(createdIn(rotatedKey, answer).key.expires_at).toBeNull();
  });

  test('with more scopes, and keys of others, are out of reach', async () => {
    const { key, userId } = await instance.user();
    const [mine] = await listed(key);
    const agent = await makeKey(instance, { user: userId, scopes: ['capture', 'read'] });
    const others = (await makeKey(instance)).key.id;
    for (const [id, code, field] of [
      [mine?.id, 'FORBIDDEN', 'scopes'],
      [others, 'NOT_FOUND', 'key'],
    ] as const) {
      expectError(await instance.post(`/auth/api-keys/${id}/rotate`, {}, agent.api_key), code, field);
      expectError(await instance.delete(`/auth/api-keys/${id}`, agent.api_key), code, field);
    }
    expect(await statusOf(key)).toBe(200);
    expect((await instance.delete(`/auth/api-keys/${agent.key.id}`, agent.api_key)).status).toBe(200);
  });
});

test('a key with an end gives nothing a later end, itself included, invites no user, raises no role and sets no first password', async () => {
  const { userId } = await instance.user({ role: 'admin' });
  const end = inDays(1);
  const wish = { user: userId, scopes: ['capture', 'read', 'write', 'admin'], expires_at: end };
  const { key, api_key: secret } = await makeKey(instance, wish);
  const path = `/admin/api-keys/${key.id}`;
  for (const expires_at of [null, inDays(2)])
    expectError(await instance.put(path, { expires_at }, secret), 'FORBIDDEN', 'expires_at');
  for (const expires_at of [undefined, inDays(2)])
    expectError(
      await instance.post('/admin/api-keys', { name: 'x', scopes: ['read'], expires_at }, secret),
      'FORBIDDEN',
      'expires_at',
    );
  for (const [invites, body] of [
    ['/admin/users', { username: 'late', role: 'user' }],
    [`/admin/users/${userId}/invite`, undefined],
  ] as const)
    expectError(await instance.post(invites, body, secret), 'FORBIDDEN', 'expires_at');
  expectError(await instance.put('/auth/password', { password: PASSWORD }, secret), 'FORBIDDEN', 'password');
  const other = `/admin/users/${(await instance.user()).userId}`;
  expectError(await instance.put(other, { role: 'admin' }, secret), 'FORBIDDEN', 'role');
  expect((await instance.put(other, { role: 'viewer' }, secret)).status).toBe(200);
  expect((await instance.put(path, { name: 'renamed' }, secret)).status).toBe(200);
  expect((await makeKey(instance, { expires_at: inDays(0.5) }, secret)).key.expires_at).not.toBeNull();
  const lasting = (await makeKey(instance, { user: userId })).key.id;
  for (const id of [lasting, key.id])
    expect(createdIn(rotatedKey, await instance.post(`/admin/api-keys/${id}/rotate`, {}, secret)).key.expires_at).toBe(
      end,
    );
});
