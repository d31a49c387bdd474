import { describe, expect, test } from 'vitest';
import { keySchema, rotatedKey } from '../../../contract/access.ts';
import { pageOfItems } from '../../../contract/shared.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { WITHIN_CACHE_TIME, createdIn, makeKey } from '../support/access.ts';
import { bodyOf, expectError } from '../support/answers.ts';

const instance = fileInstance();
const DAY_MS = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS).toISOString();
const statusOf = async (key: string) => (await instance.get('/auth/me', key)).status;

describe('a key', () => {
  test('is created with an end, listed without its secret, renamed and revoked', async () => {
    const user = await instance.user();
    const { key, api_key: secret } = await makeKey(instance, {
      user: user.userId,
      name: ' build ',
      scopes: ['read', 'read', 'write'],
      expires_at: inDays(1),
    });
    expect(key).toMatchObject({ name: 'build', scopes: ['read', 'write'], user_id: user.userId, revoked_at: null });
    expect(key).toMatchObject({ created_by: instance.admin.userId, prefix: secret.slice(0, 12) });
    expect((await instance.get('/sessions', secret)).status).toBe(200);
    const list = await instance.get(`/admin/api-keys?user=${user.userId}`);
    expect(bodyOf(pageOfItems(keySchema), list).data.map(({ id }) => id)).toContain(key.id);
    expect(JSON.stringify(list.body)).not.toContain(secret.slice(12));
    const changed = await instance.put(`/admin/api-keys/${key.id}`, { name: 'deploy', expires_at: null });
    expect(bodyOf(keySchema, changed)).toMatchObject({ name: 'deploy', expires_at: null });
    const [first, second] = [
      bodyOf(keySchema, await instance.delete(`/admin/api-keys/${key.id}`)),
      bodyOf(keySchema, await instance.delete(`/admin/api-keys/${key.id}`)),
    ];
    expect(first.revoked_at).not.toBeNull();
    expect(second).toEqual(first);
    await expect.poll(() => statusOf(secret), WITHIN_CACHE_TIME).toBe(401);
    const all = bodyOf(pageOfItems(keySchema), await instance.get(`/admin/api-keys?revoked=true&user=${user.userId}`));
    expect(all.data.find(({ id }) => id === key.id)?.revoked_at).toBe(first.revoked_at);
    expectError(await instance.put(`/admin/api-keys/${key.id}`, { expires_at: null }), 'CONFLICT', 'id');
    expectError(await instance.post(`/admin/api-keys/${key.id}/rotate`, {}), 'CONFLICT', 'id');
  });

  test('gets no scope that the key of its maker lacks', async () => {
    const { key } = await instance.user({ role: 'admin', scopes: ['read', 'admin'] });
    expectError(
      await instance.post('/admin/api-keys', { name: 'x', scopes: ['read', 'write'] }, key),
      'FORBIDDEN',
      'scopes',
    );
    const made = await makeKey(instance, { scopes: ['write'] });
    expectError(await instance.post(`/admin/api-keys/${made.key.id}/rotate`, {}, key), 'FORBIDDEN', 'scopes');
    expect(await statusOf(made.api_key)).toBe(200);
  });

  test.each([
    ['user', ['admin'], 409],
    ['user', ['capture', 'read', 'write'], 201],
    ['viewer', ['capture'], 409],
    ['viewer', ['write'], 409],
    ['viewer', ['read'], 201],
    ['admin', ['admin'], 201],
  ] as const)('of a %s with %j is answered with %i', async (role, scopes, status) => {
    const { userId } = await instance.user({ role });
    const answer = await instance.post('/admin/api-keys', { user: userId, name: 'x', scopes });
    expect(answer.status).toBe(status);
    if (status === 409) expectError(answer, 'CONFLICT', 'scopes');
  });

  test('of the last admin cannot be revoked; a rotated one can', async () => {
    const { key } = await instance.stranger({ role: 'admin' });
    const [mine] = bodyOf(pageOfItems(keySchema), await instance.get('/admin/api-keys', key)).data;
    const path = `/admin/api-keys/${mine?.id ?? ''}`;
    expectError(await instance.delete(path, key), 'CONFLICT', 'id');
    expect(await statusOf(key)).toBe(200);
    const next = createdIn(rotatedKey, await instance.post(`${path}/rotate`, {}, key));
    expect((await instance.delete(path, next.api_key)).status).toBe(200);
    await expect.poll(() => statusOf(key), WITHIN_CACHE_TIME).toBe(401);
  });

  test.each([
    [{ scopes: ['read'] }, 'name'],
    [{ name: ' ', scopes: ['read'] }, 'name'],
    [{ name: 'a'.repeat(101), scopes: ['read'] }, 'name'],
    [{ name: 'x' }, 'scopes'],
    [{ name: 'x', scopes: [] }, 'scopes'],
    [{ name: 'x', scopes: ['root'] }, 'scopes.0'],
    [{ name: 'x', scopes: ['read'], expires_at: 'tomorrow' }, 'expires_at'],
    [{ name: 'x', scopes: ['read'], expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
    [{ name: 'x', scopes: ['read'], user: '' }, 'user'],
  ])('%j is rejected with the field %s', async (body, field) => {
    expectError(await instance.post('/admin/api-keys', body), 'VALIDATION_FAILED', field);
  });
});

describe('rotation', () => {
  const rotate = async (id: string, body: object = {}) =>
    createdIn(rotatedKey, await instance.post(`/admin/api-keys/${id}/rotate`, body));

  test('creates a key with the same rights and lifetime; both work during the overlap', async () => {
    const user = await instance.user();
    const old = await makeKey(instance, { user: user.userId, scopes: ['read', 'write'], expires_at: inDays(10) });
    const next = await rotate(old.key.id, { overlap_s: 3_600 });
    expect(next.key).toMatchObject({ name: old.key.name, scopes: old.key.scopes, user_id: user.userId });
    const lifeMs = (key: { expires_at: string | null; created_at: string }) =>
      Date.parse(key.expires_at ?? '') - Date.parse(key.created_at);
    expect(Math.abs(lifeMs(next.key) - lifeMs(old.key))).toBeLessThan(60_000);
    expect(Math.abs(Date.parse(next.replaced.expires_at ?? '') - Date.now() - 3_600_000)).toBeLessThan(60_000);
    expect(next.replaced).toMatchObject({ id: old.key.id, replaced_by: next.key.id });
    expect([await statusOf(old.api_key), await statusOf(next.api_key)]).toEqual([200, 200]);
    await instance.write('UPDATE api_keys SET expires_at = now() WHERE id = $1', [old.key.id]);
    await expect.poll(() => statusOf(old.api_key), WITHIN_CACHE_TIME).toBe(401);
    expect(await statusOf(next.api_key)).toBe(200);
    expectError(await instance.post(`/admin/api-keys/${old.key.id}/rotate`, {}), 'CONFLICT', 'id');
  });

  test('lets the old key work for a day by default, and not beyond its own end', async () => {
    const lasting = await rotate((await makeKey(instance)).key.id);
    expect(lasting.key.expires_at).toBeNull();
    const leftMs = Date.parse(lasting.replaced.expires_at ?? '') - Date.now();
    expect(Math.abs(leftMs - DAY_MS)).toBeLessThan(60_000);
    const end = new Date(Date.now() + 60_000).toISOString();
    const ending = await rotate((await makeKey(instance, { expires_at: end })).key.id);
    expect(ending.replaced.expires_at).toBe(end);
  });

  test('without overlap ends the old key at once', async () => {
    const old = await makeKey(instance);
    expect(await statusOf(old.api_key)).toBe(200);
    await rotate(old.key.id, { overlap_s: 0 });
    await expect.poll(() => statusOf(old.api_key), WITHIN_CACHE_TIME).toBe(401);
  });

  test.each([-1, 604_801, 1.5, '60'])('with an overlap of %j seconds is rejected', async (overlap) => {
    const { key } = await makeKey(instance);
    expectError(
      await instance.post(`/admin/api-keys/${key.id}/rotate`, { overlap_s: overlap }),
      'VALIDATION_FAILED',
      'overlap_s',
    );
  });
});

test('keys of another tenant do not exist', async () => {
  const stranger = await instance.stranger({ role: 'admin' });
  const { key } = await makeKey(instance);
  for (const answer of [
    await instance.put(`/admin/api-keys/${key.id}`, { name: 'mine' }, stranger.key),
    await instance.delete(`/admin/api-keys/${key.id}`, stranger.key),
    await instance.post(`/admin/api-keys/${key.id}/rotate`, {}, stranger.key),
  ])
    expectError(answer, 'NOT_FOUND', 'key');
  expect(JSON.stringify((await instance.get('/admin/api-keys', stranger.key)).body)).not.toContain(key.id);
});

test('records the last use of a key once an hour', async () => {
  const { key, api_key: secret } = await makeKey(instance);
  const used = () => instance.value<Date | null>('SELECT last_used_at AS value FROM api_keys WHERE id = $1', [key.id]);
  expect(await used()).toBeNull();
  await statusOf(secret);
  await expect.poll(used).toBeInstanceOf(Date);
  const first = await used();
  // Changes that clear the cache, so that the next request looks the key up.
  await instance.put(`/admin/api-keys/${key.id}`, { expires_at: inDays(1) });
  await statusOf(secret);
  await instance.write(
    "UPDATE api_keys SET last_used_at = now() - interval '59 minutes', expires_at = NULL WHERE id = $1",
    [key.id],
  );
  const within = await used();
  await statusOf(secret);
  expect(await used()).toEqual(within);
  expect(within).not.toEqual(first);
  await instance.write(
    "UPDATE api_keys SET last_used_at = now() - interval '61 minutes', expires_at = NULL WHERE id = $1",
    [key.id],
  );
  await expect
    .poll(async () => {
      await statusOf(secret);
      return (await used())?.getTime() ?? 0;
    })
    .toBeGreaterThan(Date.now() - 60_000);
});

test('the only key of the scope admin gets no end, and no key invites above its own scopes', async () => {
  const lonely = await instance.stranger({ role: 'admin' });
  const [row] = await instance.rows<{ id: string }>('SELECT id FROM api_keys WHERE user_id = $1', [lonely.userId]);
  const change = { expires_at: new Date(Date.now() + 60_000).toISOString() };
  expectError(await instance.put(`/admin/api-keys/${row?.id}`, change, lonely.key), 'CONFLICT', 'expires_at');
  expect(await instance.count('api_keys WHERE id = $1 AND expires_at IS NULL', [row?.id])).toBe(1);
  const { key } = await instance.user({ role: 'admin', scopes: ['admin'] });
  const wish = { username: 'above', role: 'user' };
  expectError(await instance.post('/admin/users', wish, key), 'FORBIDDEN', 'scopes');
});
