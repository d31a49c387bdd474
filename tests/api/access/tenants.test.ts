import { describe, expect, test } from 'vitest';
import {
  acceptedInvite,
  createdTenant,
  invitedAnswer,
  listedTenant,
  meSchema,
  tenantSchema,
} from '../../../contract/access.ts';
import { pageOfItems } from '../../../contract/shared.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { WITHIN_CACHE_TIME, accept, createdIn, invite } from '../support/access.ts';
import { bodyOf, expectError } from '../support/answers.ts';

const instance = fileInstance();

async function addTenant(name: string) {
  const answer = await instance.post('/admin/tenants', { name, admin: { username: 'admin', email: 'a@example.org' } });
  return createdIn(createdTenant, answer);
}

describe('a tenant', () => {
  test('is added with an admin who joins, invites users and is no operator', async () => {
    const { tenant, user, invite: sent } = await addTenant('north');
    expect(tenant).toMatchObject({ name: 'north', is_operator: false, suspended_at: null });
    expect(user).toMatchObject({ username: 'admin', role: 'admin', email: 'a@example.org' });
    const { api_key: key } = createdIn(acceptedInvite, await accept(instance, sent.token));
    expect(bodyOf(meSchema, await instance.get('/auth/me', key))).toMatchObject({
      tenant: { id: tenant.id, name: 'north' },
      role: 'admin',
      is_operator: false,
    });
    await invite(instance, 'ada', 'user', key);
    expectError(await instance.get('/admin/tenants', key), 'FORBIDDEN');
    expectError(await instance.post('/admin/tenants', { name: 'mine', admin: { username: 'x' } }, key), 'FORBIDDEN');
    const list = bodyOf(pageOfItems(listedTenant), await instance.get('/admin/tenants?limit=1'));
    expect(list).toMatchObject({ data: [{ id: tenant.id, users: 2 }], pagination: { total: 2 } });
    const beyond = bodyOf(pageOfItems(listedTenant), await instance.get('/admin/tenants?page=9'));
    expect(beyond).toMatchObject({ data: [], pagination: { total: 2 } });
  });

  test('is rejected with a taken name, when added and when renamed', async () => {
    const { tenant } = await addTenant('south');
    const body = { name: 'south', admin: { username: 'admin' } };
    expectError(await instance.post('/admin/tenants', body), 'CONFLICT', 'name');
    const other = await addTenant('west');
    expectError(await instance.put(`/admin/tenants/${other.tenant.id}`, { name: 'south' }), 'CONFLICT', 'name');
    const renamed = await instance.put(`/admin/tenants/${tenant.id}`, { name: 'deep south' });
    expect(bodyOf(tenantSchema, renamed).name).toBe('deep south');
    expectError(await instance.put(`/admin/tenants/${crypto.randomUUID()}`, { name: 'none' }), 'NOT_FOUND', 'tenant');
  });

  test('that is suspended has no working key and no invite, until it is resumed', async () => {
    const stranger = await instance.stranger({ role: 'admin' });
    const { invite: sent } = await invite(instance, 'ada', 'user', stranger.key);
    const path = `/admin/tenants/${stranger.tenantId}`;
    const suspended = bodyOf(tenantSchema, await instance.put(path, { suspended: true }));
    expect(suspended.suspended_at).not.toBeNull();
    expect(bodyOf(tenantSchema, await instance.put(path, { suspended: true }))).toEqual(suspended);
    const status = async () => (await instance.get('/auth/me', stranger.key)).status;
    await expect.poll(status, WITHIN_CACHE_TIME).toBe(401);
    expectError(await accept(instance, sent.token), 'NOT_FOUND', 'token');
    await instance.put(path, { suspended: false });
    expect(await status()).toBe(200);
    expect((await accept(instance, sent.token)).status).toBe(201);
  });

  test('whose first invite is lost gets another from an operator, until an admin joined', async () => {
    const { tenant, user, invite: lost } = await addTenant('lost');
    const path = `/admin/tenants/${tenant.id}/invite`;
    const again = createdIn(invitedAnswer, await instance.post(path));
    expect(again.user.id).toBe(user.id);
    expectError(await accept(instance, lost.token), 'NOT_FOUND', 'token');
    const { api_key: key } = createdIn(acceptedInvite, await accept(instance, again.invite.token));
    expectError(await instance.post(path), 'CONFLICT', 'id');
    expectError(await instance.post(path, undefined, key), 'FORBIDDEN');
    expectError(await instance.post(`/admin/tenants/${crypto.randomUUID()}/invite`), 'NOT_FOUND', 'tenant');
  });

  test.each([
    ['logged in', 'UPDATE users SET last_login_at = now() WHERE id = $1'],
    [
      'has an account at a provider',
      `INSERT INTO user_identities (id, tenant_id, user_id, issuer, subject)
       SELECT gen_random_uuid(), tenant_id, id, 'https://login.example.org', 'subject' FROM users WHERE id = $1`,
    ],
    ['accepted an invite that gave no key', 'UPDATE user_invites SET accepted_at = now() WHERE user_id = $1'],
    [
      'had a key',
      `INSERT INTO api_keys (id, tenant_id, user_id, prefix, key_sha256, name, scopes, revoked_at)
       SELECT gen_random_uuid(), tenant_id, id, 'rck_', sha256(id::text::bytea), 'own', '{admin}', now() FROM users WHERE id = $1`,
    ],
  ])('whose admin %s gets no invite from an operator', async (way, join) => {
    const { tenant, user } = await addTenant(`joined: ${way}`);
    await instance.write(join, [user.id]);
    expectError(await instance.post(`/admin/tenants/${tenant.id}/invite`), 'CONFLICT', 'id');
  });

  test('of the operators cannot be suspended', async () => {
    const path = `/admin/tenants/${instance.admin.tenantId}`;
    expectError(await instance.put(path, { suspended: true }), 'CONFLICT', 'suspended');
    expect((await instance.get('/auth/me')).status).toBe(200);
  });

  test.each([
    [{ admin: { username: 'x' } }, 'name'],
    [{ name: ' ', admin: { username: 'x' } }, 'name'],
    [{ name: 'n'.repeat(129), admin: { username: 'x' } }, 'name'],
    [{ name: 'x' }, 'admin'],
    [{ name: 'x', admin: { username: 'X Y' } }, 'admin.username'],
    [{ name: 'x', admin: { username: 'x' }, is_operator: true }, ''],
  ])('%j is rejected with the field %s', async (body, field) => {
    expectError(await instance.post('/admin/tenants', body), 'VALIDATION_FAILED', field);
  });
});
