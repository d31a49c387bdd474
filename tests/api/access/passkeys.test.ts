import { beforeAll, describe, expect, test } from 'vitest';
import { meSchema } from '../../../contract/access.ts';
import { tokenAnswer } from '../../../contract/login.ts';
import { assertionOptions, passkeyList, passkeySchema, registrationOptions } from '../../../contract/passkeys.ts';
import type { TestUser } from '../../setup/database.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { createdIn } from '../support/access.ts';
import { bodyOf, expectError } from '../support/answers.ts';
import { logIn, withPassword } from '../support/log-in.ts';
import { SoftwareAuthenticator } from '../support/software-authenticator.ts';
import type { AuthenticatorFault } from '../support/software-authenticator.ts';

const ORIGIN = 'http://localhost:37700';
const instance = fileInstance({ RECOLLECT_PUBLIC_URL: ORIGIN });

/** A user with a password, and the access token of a session. */
async function loggedIn(role: 'admin' | 'user' | 'viewer' = 'user') {
  const user: TestUser = await instance.user({ role });
  const credentials = await withPassword(instance, user);
  return { ...user, credentials, token: (await logIn(instance, credentials)).access_token };
}

async function registrationOf(token: string) {
  return bodyOf(registrationOptions, await instance.post('/auth/passkeys/register/options', {}, token));
}

/** Registers a passkey of an authenticator. */
async function register(token: string, authenticator = new SoftwareAuthenticator(ORIGIN)) {
  const credential = authenticator.create(await registrationOf(token));
  const passkey = createdIn(
    passkeySchema,
    await instance.post('/auth/passkeys/register', { name: 'laptop', credential }, token),
  );
  return { authenticator, passkey };
}

async function logInOptions() {
  return bodyOf(assertionOptions, await instance.post('/auth/passkeys/options', {}, null));
}

const verify = (credential: object) => instance.post('/auth/passkeys/verify', { credential }, null);

/** Logs in by a passkey; returns the answer. */
async function logInBy(authenticator: SoftwareAuthenticator, fault: AuthenticatorFault = {}) {
  return verify(authenticator.get(await logInOptions(), fault));
}

let owner: Awaited<ReturnType<typeof loggedIn>>;
let mine: Awaited<ReturnType<typeof register>>;
beforeAll(async () => {
  owner = await loggedIn();
  mine = await register(owner.token);
});

describe('a passkey', () => {
  test.each([-7, -8] as const)('with the algorithm %i logs its user in, with two factors', async (algorithm) => {
    const user = await loggedIn('viewer');
    const options = await registrationOf(user.token);
    expect(options).toMatchObject({
      rp: { id: 'localhost' },
      user: { name: user.credentials.login },
      pubKeyCredParams: [{ alg: -8 }, { alg: -7 }, { alg: -257 }],
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      excludeCredentials: [],
    });
    const { authenticator, passkey } = await register(user.token, new SoftwareAuthenticator(ORIGIN, algorithm));
    expect(passkey).toMatchObject({ name: 'laptop', synced: false, last_used_at: null });
    const answer = await logInBy(authenticator);
    expect(answer.headers.getSetCookie().join('')).toMatch(
      /^__Host-recollect_refresh=rcr_.*HttpOnly; Secure; SameSite=Strict/,
    );
    const { access_token: token } = bodyOf(tokenAnswer, answer);
    expect(bodyOf(meSchema, await instance.get('/auth/me', token)).user.id).toBe(user.userId);
    // The passkey is a proof: the routes of factors are open.
    const again = await registrationOf(token);
    expect(again.excludeCredentials).toEqual([{ id: authenticator.id, type: 'public-key' }]);
    const { data } = bodyOf(passkeyList, await instance.get('/auth/passkeys', token));
    expect(data).toMatchObject([{ id: passkey.id, last_used_at: expect.any(String) }]);
  });

  test('works with a counter that goes up, and with one that stays 0', async () => {
    expect((await logInBy(mine.authenticator)).status).toBe(200);
    expect((await logInBy(mine.authenticator)).status).toBe(200);
    const { authenticator } = await register(owner.token);
    for (const signCount of [1, 7]) expect((await logInBy(authenticator, { signCount })).status).toBe(200);
    for (const signCount of [7, 6, 0]) expectError(await logInBy(authenticator, { signCount }), 'INVALID_CREDENTIALS');
    const recorded = await instance.rows(
      "SELECT actor_id, status FROM audit_log WHERE action = 'POST /auth/passkeys/verify' AND subject_id = $1 AND status = 401",
      [owner.userId],
    );
    expect(recorded).toEqual([1, 2, 3].map(() => ({ actor_id: null, status: 401 })));
    expect((await logInBy(authenticator, { signCount: 8 })).status).toBe(200);
  });

  test('of an inactive user does not work', async () => {
    const user = await loggedIn();
    const { authenticator } = await register(user.token);
    await instance.put(`/admin/users/${user.userId}`, { active: false });
    expectError(await logInBy(authenticator), 'INVALID_CREDENTIALS');
  });
});

const FAULTS: readonly (readonly [string, AuthenticatorFault])[] = [
  ['of another origin', { origin: 'http://localhost:37701' }],
  ['of a subdomain', { origin: 'http://evil.localhost:37700' }],
  ['for another host', { rpId: 'evil.example' }],
  ['without user verification', { isUnverified: true }],
  ['for a challenge that the server did not send', { challenge: 'x'.repeat(43) }],
];

describe('a log-in', () => {
  test.each([...FAULTS, ['with the id of another user', { userHandle: 'x'.repeat(22) }] as const])(
    '%s is refused',
    async (_what, fault) => {
      expectError(await logInBy(mine.authenticator, fault), 'INVALID_CREDENTIALS');
    },
  );

  test('is accepted once, of 5 at once', async () => {
    const credential = mine.authenticator.get(await logInOptions());
    const answers = await Promise.all(Array.from({ length: 5 }, () => verify(credential)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expectError(await verify(credential), 'INVALID_CREDENTIALS');
  });

  test('uses its challenge up, also if it fails, and after ten minutes', async () => {
    const options = await logInOptions();
    expectError(await verify(mine.authenticator.get(options, { isUnverified: true })), 'INVALID_CREDENTIALS');
    expectError(await verify(mine.authenticator.get(options)), 'INVALID_CREDENTIALS');
    const late = await logInOptions();
    await instance.write('UPDATE auth_challenges SET expires_at = now()');
    expectError(await verify(mine.authenticator.get(late)), 'INVALID_CREDENTIALS');
  });

  test('of a credential that was never registered, or with the key of another one, is refused', async () => {
    const unknown = new SoftwareAuthenticator(ORIGIN);
    unknown.create(await registrationOf(owner.token));
    expectError(await logInBy(unknown), 'INVALID_CREDENTIALS');
    const forged = unknown.get(await logInOptions());
    expectError(
      await verify({ ...forged, id: mine.authenticator.id, rawId: mine.authenticator.id }),
      'INVALID_CREDENTIALS',
    );
  });

  test('does not accept the challenge of a registration', async () => {
    const { challenge } = await registrationOf(owner.token);
    expectError(await logInBy(mine.authenticator, { challenge }), 'INVALID_CREDENTIALS');
  });

  test.each([
    ['credential.id', { id: 'not base64url!' }],
    [
      'credential.response.signature',
      { response: { clientDataJSON: 'e30', authenticatorData: 'AA', signature: 'x'.repeat(2_049), userHandle: 'AA' } },
    ],
  ])('with a malformed %s is rejected by its field', async (field, change) => {
    const credential = { ...mine.authenticator.get(await logInOptions()), ...change };
    expectError(await verify(credential), 'VALIDATION_FAILED', field);
  });

  test('with other bytes in place of each part is refused', async () => {
    for (const part of ['clientDataJSON', 'authenticatorData', 'signature']) {
      const { response, ...rest } = mine.authenticator.get(await logInOptions());
      expectError(await verify({ ...rest, response: { ...response, [part]: 'e30' } }), 'INVALID_CREDENTIALS');
    }
  });
});

describe('a registration', () => {
  const post = (credential: object, token = owner.token) =>
    instance.post('/auth/passkeys/register', { name: 'laptop', credential }, token);

  test.each([
    ...FAULTS,
    ['with an unknown format', { format: 'other' }] as const,
    // Its check would fetch what the certificate names.
    ['with a certificate', { format: 'packed', attestation: new Map([['x5c', new Uint8Array(8)]]) }] as const,
  ])('%s is refused', async (_what, fault) => {
    const authenticator = new SoftwareAuthenticator(ORIGIN);
    expectError(
      await post(authenticator.create(await registrationOf(owner.token), fault)),
      'VALIDATION_FAILED',
      'credential',
    );
  });

  test('works once, in the session that started it, for a new credential', async () => {
    const authenticator = new SoftwareAuthenticator(ORIGIN);
    const credential = authenticator.create(await registrationOf(owner.token));
    const another = await loggedIn();
    expectError(await post(credential, another.token), 'VALIDATION_FAILED', 'credential');
    const own = authenticator.create(await registrationOf(owner.token));
    expect((await post(own)).status).toBe(201);
    expectError(await post(own), 'VALIDATION_FAILED', 'credential');
    expectError(
      await post(authenticator.create(await registrationOf(another.token)), another.token),
      'CONFLICT',
      'credential',
    );
  });

  test('needs a log-in with a recent proof, which the password no longer is for users with a passkey', async () => {
    expectError(await instance.post('/auth/passkeys/register/options', {}, owner.key), 'FORBIDDEN');
    const old = await loggedIn();
    await instance.write(
      "UPDATE user_sessions SET authenticated_at = now() - interval '6 minutes' WHERE user_id = $1",
      [old.userId],
    );
    expectError(await instance.post('/auth/passkeys/register/options', {}, old.token), 'STEP_UP_REQUIRED');
    const { access_token: token } = await logIn(instance, owner.credentials);
    expectError(await instance.post('/auth/passkeys/register/options', {}, token), 'STEP_UP_REQUIRED');
  });
});

test('renames own passkeys only, in a log-in', async () => {
  const user = await loggedIn();
  const { passkey } = await register(user.token);
  const address = `/auth/passkeys/${passkey.id}`;
  const rename = (name: unknown, token = user.token) => instance.put(address, { name }, token);
  expect(bodyOf(passkeySchema, await rename('  phone '))).toEqual({ ...passkey, name: 'phone' });
  expect((await rename('x'.repeat(64))).status).toBe(200);
  for (const name of ['x'.repeat(65), '', ' ', 7, undefined])
    expectError(await rename(name), 'VALIDATION_FAILED', 'name');
  expectError(await rename('mine', owner.token), 'NOT_FOUND', 'id');
  expectError(await rename('by a key', user.key), 'FORBIDDEN');
  const { data } = bodyOf(passkeyList, await instance.get('/auth/passkeys', user.token));
  expect(data.map(({ name }) => name)).toEqual(['x'.repeat(64)]);
});

test('deletes own passkeys only, after a recent proof', async () => {
  const user = await loggedIn();
  const { authenticator, passkey } = await register(user.token);
  const { access_token: token } = bodyOf(tokenAnswer, await logInBy(authenticator));
  expectError(await instance.delete(`/auth/passkeys/${mine.passkey.id}`, token), 'NOT_FOUND', 'id');
  const { access_token: unproven } = await logIn(instance, user.credentials);
  expectError(await instance.delete(`/auth/passkeys/${passkey.id}`, unproven), 'STEP_UP_REQUIRED');
  expect(bodyOf(passkeySchema, await instance.delete(`/auth/passkeys/${passkey.id}`, token)).id).toBe(passkey.id);
  expectError(await logInBy(authenticator), 'INVALID_CREDENTIALS');
});

test('are removed with the second factors of a user by an admin', async () => {
  const user = await loggedIn();
  const { authenticator } = await register(user.token);
  const answer = await instance.delete(`/admin/users/${user.userId}/mfa`);
  expect([answer.status, answer.body]).toEqual([200, { removed: true }]);
  expectError(await logInBy(authenticator), 'INVALID_CREDENTIALS');
});

test('stores at most 20 passkeys of a user', async () => {
  const user = await loggedIn();
  const { authenticator } = await register(user.token);
  const { access_token: token } = bodyOf(tokenAnswer, await logInBy(authenticator));
  await instance.write(
    `INSERT INTO passkeys (id, tenant_id, user_id, credential_id, public_key, name, synced)
     SELECT gen_random_uuid(), tenant_id, user_id, convert_to(n || id::text, 'UTF8'), 'k', 'x', false FROM passkeys, generate_series(1, 19) AS n WHERE user_id = $1`,
    [user.userId],
  );
  const credential = new SoftwareAuthenticator(ORIGIN).create(await registrationOf(token));
  expectError(
    await instance.post('/auth/passkeys/register', { name: 'x', credential }, token),
    'CONFLICT',
    'credential',
  );
});
