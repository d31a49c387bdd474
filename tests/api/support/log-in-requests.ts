import { newId } from '../../../domain/ids.ts';
import { tokenAnswer } from '../../../contract/login.ts';
import { assertionOptions, passkeySchema, registrationOptions } from '../../../contract/passkeys.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { createdIn } from './access.ts';
import { bodyOf } from './answers.ts';
import { logIn, withPassword } from './log-in.ts';
import type { ContractRequest } from './openapi.ts';
import { SoftwareAuthenticator } from './software-authenticator.ts';

/** Operations that redirect a browser or need the codes of an authenticator: the tests of their subject play them. */
export const PLAYED_ELSEWHERE: readonly string[] = [
  'get /auth/oidc/{name}/start',
  'get /auth/oidc/{name}/callback',
  'post /auth/mfa/totp',
  'post /auth/mfa/totp/confirm',
  'delete /auth/mfa/totp',
  'post /auth/mfa/verify',
  'post /auth/mfa/recovery',
  'post /auth/step-up',
];

/** Creates what the requests name. `origin`: of the pages that use passkeys. */
export async function seedLogIns(instance: TestInstance, origin: string) {
  const user = await instance.user();
  const credentials = await withPassword(instance, user);
  const { access_token: token, cookie } = await logIn(instance, credentials);
  const other = await logIn(instance, credentials);
  const create = async () => {
    const options = await instance.post('/auth/passkeys/register/options', {}, token);
    const authenticator = new SoftwareAuthenticator(origin);
    return { authenticator, credential: authenticator.create(bodyOf(registrationOptions, options)) };
  };
  const first = await create();
  const body = { name: 'laptop', credential: first.credential };
  const passkey = createdIn(passkeySchema, await instance.post('/auth/passkeys/register', body, token));
  const options = bodyOf(assertionOptions, await instance.post('/auth/passkeys/options', {}, null));
  const identityId = newId();
  await instance.write(
    'INSERT INTO user_identities (id, tenant_id, user_id, issuer, subject) VALUES ($1, $2, $3, $4, $5)',
    [identityId, user.tenantId, user.userId, 'https://login.example.org', 'subject'],
  );
  const grantId = newId();
  await instance.write(
    "INSERT INTO oauth_grants (id, tenant_id, user_id, client_id, client_host, scopes, expires_at) VALUES ($1, $2, $3, 'client', 'app.example.org', '{read}', now() + interval '1 day')",
    [grantId, user.tenantId, user.userId],
  );
  const { credential: second } = await create();
  const { access_token: own } = bodyOf(
    tokenAnswer,
    await instance.post('/auth/passkeys/verify', { credential: first.authenticator.get(options) }, null),
  );
  const again = bodyOf(assertionOptions, await instance.post('/auth/passkeys/options', {}, null));
  return {
    credentials,
    other,
    cookie,
    key: user.key,
    userId: user.userId,
    identityId,
    grantId,
    token,
    own,
    passkey,
    second,
    assertion: first.authenticator.get(again, { signCount: 1 }),
  };
}

type Seeds = Awaited<ReturnType<typeof seedLogIns>>;

export function logInSuccesses(seeds: Seeds): ContractRequest[] {
  const { credentials, other, cookie, key, userId, identityId, grantId, token, own, passkey, second, assertion } =
    seeds;
  const identities = `/admin/users/${userId}/identities`;
  return [
    ['post /auth/login', '/auth/login', { key: null, body: credentials }],
    ['get /auth/sessions', '/auth/sessions', { key: token }],
    ['delete /auth/sessions/{id}', `/auth/sessions/${other.session_id}`, { key: token }],
    ['post /auth/refresh', '/auth/refresh', { key: null, headers: { cookie } }],
    ['post /auth/logout', '/auth/logout', { key: null }],
    ['get /about', '/about', { key: null }],
    ['post /auth/browser/codes', '/auth/browser/codes', { key }],
    ['post /auth/browser', '/auth/browser', { key: null, body: { api_key: key } }],
    ['delete /auth/browser', '/auth/browser', { key: null }],
    ['get /auth/oidc', '/auth/oidc', { key: null }],
    ['post /auth/passkeys/register/options', '/auth/passkeys/register/options', { key: token }],
    [
      'post /auth/passkeys/register',
      '/auth/passkeys/register',
      { key: token, body: { name: 'phone', credential: second } },
    ],
    ['post /auth/passkeys/options', '/auth/passkeys/options', { key: null }],
    ['post /auth/passkeys/verify', '/auth/passkeys/verify', { key: null, body: { credential: assertion } }],
    ['get /auth/passkeys', '/auth/passkeys', { key: own }],
    ['put /auth/passkeys/{id}', `/auth/passkeys/${passkey.id}`, { key: own, body: { name: 'phone' } }],
    ['delete /auth/passkeys/{id}', `/auth/passkeys/${passkey.id}`, { key: own }],
    ['get /auth/grants', '/auth/grants', { key: token }],
    ['delete /auth/grants/{id}', `/auth/grants/${grantId}`, { key: token }],
    ['get /admin/users/{id}/identities', identities],
    ['delete /admin/users/{id}/identities/{identity_id}', `${identities}/${identityId}`],
    [
      'put /auth/password',
      '/auth/password',
      { key, body: { password: 'another horse battery', current_password: credentials.password } },
    ],
    ['delete /admin/users/{id}/mfa', `/admin/users/${userId}/mfa`],
    ['delete /auth/sessions', '/auth/sessions', { key }],
  ];
}

export function logInFailures({ userId, key, own, assertion }: Seeds): ContractRequest[] {
  return [
    ['post /auth/login', '/auth/login', { key: null, body: { login: 'unknown', password: 'x' } }],
    ['post /auth/browser', '/auth/browser', { key: null, body: { code: 'x'.repeat(43) } }],
    ['post /auth/browser', '/auth/browser', { key: null, body: {} }],
    ['post /auth/browser/codes', '/auth/browser/codes', { key: own }],
    ['post /auth/refresh', '/auth/refresh', { key: null }],
    ['get /auth/sessions', '/auth/sessions', { key: null }],
    ['delete /auth/sessions/{id}', `/auth/sessions/${newId()}`, { key }],
    ['put /auth/password', '/auth/password', { key, body: { password: 'short' } }],
    ['get /auth/oidc/{name}/start', '/auth/oidc/unknown/start', { key: null }],
    ['get /auth/oidc/{name}/callback', '/auth/oidc/unknown/callback', { key: null }],
    ['post /auth/passkeys/register/options', '/auth/passkeys/register/options'],
    ['post /auth/passkeys/register', '/auth/passkeys/register', { key: own, body: {} }],
    ['post /auth/passkeys/verify', '/auth/passkeys/verify', { key: null, body: { credential: assertion } }],
    ['put /auth/passkeys/{id}', `/auth/passkeys/${newId()}`, { key: own, body: { name: '' } }],
    ['delete /auth/passkeys/{id}', `/auth/passkeys/${newId()}`, { key: own }],
    ['get /admin/users/{id}/identities', '/admin/users/unknown/identities'],
    ['delete /admin/users/{id}/identities/{identity_id}', `/admin/users/${userId}/identities/${newId()}`],
  ];
}
