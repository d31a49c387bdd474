import { newId } from '../../../domain/ids.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { createdTenant } from '../../../contract/access.ts';
import { createdIn, invite, makeKey } from './access.ts';
import type { ContractRequest } from './openapi.ts';

/** Creates what the requests name. */
export async function seedAccess(instance: TestInstance) {
  const { invite: sent } = await invite(instance, 'invited');
  const keys = [await makeKey(instance), await makeKey(instance), await makeKey(instance)].map(({ key }) => key.id);
  const { tenantId } = await instance.stranger();
  const fresh = { name: 'without a key', admin: { username: 'admin' } };
  const { tenant } = createdIn(createdTenant, await instance.post('/admin/tenants', fresh));
  // Of a tenant without legal holds.
  const admin = await instance.stranger({ role: 'admin' });
  const { userId: leaver } = await instance.db.createUser({ tenantId: admin.tenantId });
  return { token: sent.token, keys, tenantId, freshTenantId: tenant.id, admin, leaver };
}

type Seeds = Awaited<ReturnType<typeof seedAccess>>;

export function accessSuccesses({ token, keys, tenantId, freshTenantId, admin, leaver }: Seeds): ContractRequest[] {
  return [
    ['get /auth/me', '/auth/me'],
    ['post /auth/invites/accept', '/auth/invites/accept', { key: null, body: { token } }],
    ['get /admin/users', '/admin/users?search=i&active=true'],
    ['post /admin/users', '/admin/users', { body: { username: 'added', email: 'a@example.org', role: 'viewer' } }],
    ['get /admin/users/{id}', '/admin/users/added'],
    ['put /admin/users/{id}', '/admin/users/added', { body: { role: 'user', email: null } }],
    ['post /admin/users/{id}/invite', '/admin/users/added/invite'],
    [
      'post /admin/users/{id}/transfer',
      `/admin/users/${leaver}/transfer`,
      { key: admin.key, body: { to: admin.userId } },
    ],
    ['get /admin/api-keys', '/admin/api-keys?revoked=true'],
    ['post /admin/api-keys', '/admin/api-keys', { body: { user: 'added', name: 'build', scopes: ['capture'] } }],
    ['put /admin/api-keys/{id}', `/admin/api-keys/${keys[0]}`, { body: { expires_at: '2999-01-01T00:00:00Z' } }],
    ['post /admin/api-keys/{id}/rotate', `/admin/api-keys/${keys[0]}/rotate`, { body: {} }],
    ['delete /admin/api-keys/{id}', `/admin/api-keys/${keys[1]}`],
    ['get /auth/api-keys', '/auth/api-keys?revoked=true'],
    ['post /auth/api-keys/{id}/rotate', `/auth/api-keys/${keys[2]}/rotate`, { body: {} }],
    ['delete /auth/api-keys/{id}', `/auth/api-keys/${keys[2]}`],
    ['get /admin/tenants', '/admin/tenants'],
    ['post /admin/tenants', '/admin/tenants', { body: { name: 'north', admin: { username: 'nora' } } }],
    ['post /admin/tenants/{id}/invite', `/admin/tenants/${freshTenantId}/invite`],
    ['put /admin/tenants/{id}', `/admin/tenants/${tenantId}`, { body: { suspended: true } }],
  ];
}

/** `reader`: a key with the scope read. */
export function accessFailures(reader: string, { keys, tenantId }: Seeds): ContractRequest[] {
  const key = `/admin/api-keys/${keys[1]}`;
  return [
    ['get /auth/me', '/auth/me', { key: null }],
    ['post /auth/invites/accept', '/auth/invites/accept', { key: null, body: { token: `rci_${'x'.repeat(43)}` } }],
    ['post /auth/invites/accept', '/auth/invites/accept', { key: null, body: { token: 'x'.repeat(2_000) } }],
    ['post /auth/invites/accept', '/auth/invites/accept', { key: null, body: {} }],
    ['get /admin/users', '/admin/users', { key: reader }],
    ['post /admin/users', '/admin/users', { body: { username: 'added', role: 'user' } }],
    ['get /admin/users/{id}', '/admin/users/unknown'],
    ['put /admin/users/{id}', '/admin/users/added', { body: { role: 'owner' } }],
    ['post /admin/users/{id}/invite', '/admin/users/unknown/invite'],
    ['post /admin/users/{id}/transfer', '/admin/users/added/transfer', { body: { to: 'added' } }],
    ['get /admin/api-keys', '/admin/api-keys?user=unknown'],
    ['post /admin/api-keys', '/admin/api-keys', { body: { user: 'added', name: 'x', scopes: ['admin'] } }],
    ['put /admin/api-keys/{id}', key, { body: { expires_at: '2020-01-01T00:00:00Z' } }],
    ['post /admin/api-keys/{id}/rotate', `${key}/rotate`, { body: {} }],
    ['delete /admin/api-keys/{id}', `/admin/api-keys/${newId()}`],
    ['get /auth/api-keys', '/auth/api-keys?limit=0'],
    ['post /auth/api-keys/{id}/rotate', `/auth/api-keys/${keys[1]}/rotate`, { body: {} }],
    ['delete /auth/api-keys/{id}', `/auth/api-keys/${newId()}`],
    ['get /admin/tenants', '/admin/tenants', { key: reader }],
    ['post /admin/tenants', '/admin/tenants', { body: { name: 'north', admin: { username: 'nora' } } }],
    ['post /admin/tenants/{id}/invite', `/admin/tenants/${newId()}/invite`],
    ['put /admin/tenants/{id}', `/admin/tenants/${tenantId}`, { body: { name: '' } }],
  ];
}
