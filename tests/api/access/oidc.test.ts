import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { invitedAnswer, meSchema } from '../../../contract/access.ts';
import { tokenAnswer, userSessionList } from '../../../contract/login.ts';
import { identityList } from '../../../contract/single-sign-on.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { createdIn } from '../support/access.ts';
import { bodyOf, expectError } from '../support/answers.ts';
import { Browser } from '../support/browser.ts';
import { startOidcProvider } from '../support/oidc-provider.ts';
import type { TestProvider } from '../support/oidc-provider.ts';

const PUBLIC = 'https://memory.example.org';
const AUTH = `${PUBLIC}/api/v1/auth/oidc`;
const callbackOf = (name: string) => `${AUTH}/${name}/callback`;

const folder = mkdtempSync(path.join(tmpdir(), 'recollect-oidc-'));
let company: TestProvider;
let other: TestProvider;
/** A server that is no provider, or not yet. */
const broken = createServer((request, response) => answerBroken(request.url ?? '', response));
let brokenIssuer = '';
let answerBroken: (url: string, response: ServerResponse) => void;

const instance = fileInstance(async () => {
  company = await startOidcProvider(['company', 'linking', 'roles', 'narrow', 'north', 'south'].map(callbackOf));
  other = await startOidcProvider([callbackOf('other')]);
  await once(broken.listen(0, '127.0.0.1'), 'listening');
  const address = broken.address();
  brokenIssuer = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const client = ({ issuer, clientId, clientSecret }: TestProvider) => ({
    issuer,
    client_id: clientId,
    client_secret: clientSecret,
  });
  const open = { allow_any_user: true };
  const roles = { claim: 'groups', admin: ['leads'], user: ['staff'] };
  const file = path.join(folder, 'providers.json');
  writeFileSync(
    file,
    JSON.stringify([
      { name: 'company', label: 'Company', ...client(company), ...open },
      { name: 'other', label: 'Other', ...client(other), ...open },
      { name: 'linking', label: 'Linking', ...client(company), ...open, link_by_verified_email: true },
      { name: 'roles', label: 'Roles', ...client(company), roles },
      { name: 'south', label: 'South', ...client(company), roles, tenant: 'south' },
      {
        name: 'narrow',
        label: 'Narrow',
        ...client(company),
        allowed_domains: ['example.org'],
        required_claims: { department: ['memory'] },
      },
      { name: 'north', label: 'North', ...client(company), ...open, tenant: 'north' },
      { name: 'broken', label: 'Broken', issuer: brokenIssuer, client_id: 'recollect', ...open },
    ]),
  );
  return { RECOLLECT_PUBLIC_URL: PUBLIC, RECOLLECT_OIDC_PROVIDERS_FILE: file };
});
afterAll(async () => {
  broken.closeAllConnections();
  broken.close();
  await Promise.all([company.close(), other.close()]);
  rmSync(folder, { recursive: true, force: true });
});

let subject = 0;
beforeEach(() => {
  company.account = { sub: `subject-${++subject}`, preferred_username: `writer${subject}` };
  company.idToken = {};
  other.account = { sub: `subject-${subject}`, preferred_username: `writer${subject}` };
});

const browse = () => new Browser({ [PUBLIC]: instance.url });

/** Begins a log-in and goes to the provider and back, up to the callback. `alter`: changes the request to the provider. */
async function comeBack(browser: Browser, name: string, alter: (address: URL) => void = () => undefined): Promise<URL> {
  const { status, location } = await browser.get(`${AUTH}/${name}/start`);
  expect([status, location]).toEqual([303, expect.stringContaining('code_challenge_method=S256')]);
  const address = new URL(location);
  alter(address);
  return new URL(await browser.follow(address.href, PUBLIC));
}

/** Logs in by a provider; returns the answer of the callback. */
async function logInBy(name: string, browser = browse()) {
  return browser.get((await comeBack(browser, name)).href);
}

const usersNow = () => instance.count('users');

/** Returns the access token of the session that the browser has. */
async function tokenOf(answer: { readonly headers: Headers }): Promise<string> {
  const cookie = answer.headers.getSetCookie().find((line) => line.startsWith('__Host-recollect_refresh=')) ?? '';
  expect(cookie).toMatch(/; HttpOnly; Secure; SameSite=Strict$/);
  const refreshed = await instance.call('POST', '/auth/refresh', {
    key: null,
    headers: { cookie: cookie.split(';', 1).join(''), origin: PUBLIC },
  });
  return bodyOf(tokenAnswer, refreshed).access_token;
}

describe('a log-in', () => {
  test('creates a user at the first time, and finds the user by the subject after', async () => {
    const first = await logInBy('company');
    expect([first.status, first.location]).toEqual([303, `${PUBLIC}/`]);
    const me = bodyOf(meSchema, await instance.get('/auth/me', await tokenOf(first)));
    expect(me).toMatchObject({
      user: { username: `writer${subject}` },
      role: 'user',
      tenant: { id: instance.admin.tenantId },
    });
    const before = await usersNow();
    company.account = { sub: company.account.sub, preferred_username: 'renamed' };
    const second = await logInBy('company');
    expect(bodyOf(meSchema, await instance.get('/auth/me', await tokenOf(second))).user).toEqual(me.user);
    expect(await usersNow()).toBe(before);
    const recorded = await instance.rows(
      "SELECT actor_id, credential_kind, status FROM audit_log WHERE action = 'GET /auth/oidc/:name/callback' AND actor_id = $1",
      [me.user.id],
    );
    expect(recorded).toEqual([1, 2].map(() => ({ actor_id: me.user.id, credential_kind: 'session', status: 303 })));
  });

  test('takes another name if the name is taken, and one subject is another user at another provider', async () => {
    await logInBy('company');
    const answer = await logInBy('other');
    const { user } = bodyOf(meSchema, await instance.get('/auth/me', await tokenOf(answer)));
    expect(user.username).toBe(`writer${subject}-2`);
  });

  test('of 5 first ones at once creates one user', async () => {
    const before = await usersNow();
    const answers = await Promise.all(Array.from({ length: 5 }, () => logInBy('company')));
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(5);
    expect(await usersNow()).toBe(before + 1);
  });

  test('ends at the path of its start', async () => {
    const browser = browse();
    const { location } = await browser.get(`${AUTH}/company/start?return_to=${encodeURIComponent('/a/b?c=1#d')}`);
    const answer = await browser.get(await browser.follow(location, callbackOf('company')));
    expect(answer.location).toBe(`${PUBLIC}/a/b?c=1#d`);
    for (const evil of [
      'https://evil.example',
      '//evil.example',
      '/\\evil.example',
      'evil',
      '/a\r\nb',
      `/${'x'.repeat(1_024)}`,
    ])
      expectError(
        await instance.get(`/auth/oidc/company/start?return_to=${encodeURIComponent(evil)}`, null),
        'VALIDATION_FAILED',
        'return_to',
      );
  });

  test('requires the provider to authenticate again for a proof, which the session then has', async () => {
    const browser = browse();
    const { location } = await browser.get(`${AUTH}/company/start?reauthenticate=true`);
    expect(Object.fromEntries(new URL(location).searchParams)).toMatchObject({ prompt: 'login', max_age: '0' });
    const token = await tokenOf(await browser.get(await browser.follow(location, callbackOf('company'))));
    const { data } = bodyOf(userSessionList, await instance.get('/auth/sessions', token));
    expect(data).toMatchObject([{ methods: ['oidc'], mfa_at: null, is_current: true }]);
    const prove = (by: string) => instance.call('POST', '/auth/passkeys/register/options', { key: by });
    expect((await prove(token)).status).toBe(200);
    // Without the request it continues its session and reports no time: that is no recent proof.
    const silent = await tokenOf(await logInBy('company', browser));
    expectError(await prove(silent), 'STEP_UP_REQUIRED');
    // A provider that ignores the request reports no time.
    const ignoring = browse();
    const back = await comeBack(ignoring, 'company');
    await instance.write(
      `UPDATE auth_challenges SET data = data || '{"reauthenticates": true}' WHERE expires_at > now()`,
    );
    expectError(await ignoring.get(back.href), 'OIDC_FAILED');
  });

  test('belongs to the tenant of the provider, which exists and is not suspended', async () => {
    expectError(await logInBy('north'), 'NOT_CONFIGURED');
    const { tenantId } = await instance.stranger();
    await instance.write("UPDATE tenants SET name = 'north' WHERE id = $1", [tenantId]);
    const token = await tokenOf(await logInBy('north'));
    expect(bodyOf(meSchema, await instance.get('/auth/me', token)).tenant).toEqual({ id: tenantId, name: 'north' });
    await instance.write('UPDATE tenants SET suspended_at = now() WHERE id = $1', [tenantId]);
    expectError(await logInBy('north'), 'NOT_CONFIGURED');
  });
});

/** Each returns the answer of the callback. */
const FORGERIES: Readonly<
  Record<string, (browser: Browser) => Promise<{ status: number; headers: Headers; body: unknown }>>
> = {
  'with another state': async (browser) => {
    const back = await comeBack(browser, 'company');
    back.searchParams.set('state', 'x'.repeat(43));
    return browser.get(back.href);
  },
  'without a state': async (browser) => {
    const back = await comeBack(browser, 'company');
    back.searchParams.delete('state');
    return browser.get(back.href);
  },
  'with another nonce': async (browser) => {
    const back = await comeBack(browser, 'company', (address) => address.searchParams.set('nonce', 'x'.repeat(43)));
    return browser.get(back.href);
  },
  'with another verifier': async (browser) => {
    const alter = (address: URL) => address.searchParams.set('code_challenge', 'x'.repeat(43));
    return browser.get((await comeBack(browser, 'company', alter)).href);
  },
  'with another issuer': async (browser) => {
    const back = await comeBack(browser, 'company');
    back.searchParams.set('iss', other.issuer);
    return browser.get(back.href);
  },
  'without an issuer': async (browser) => {
    const back = await comeBack(browser, 'company');
    back.searchParams.delete('iss');
    return browser.get(back.href);
  },
  'with a code of another provider': async (browser) => {
    const foreign = await comeBack(browse(), 'other');
    const back = await comeBack(browser, 'company');
    back.searchParams.set('code', foreign.searchParams.get('code') ?? '');
    return browser.get(back.href);
  },
  'with the answer of another provider': async (browser) => {
    const back = await comeBack(browser, 'other');
    return browser.get(back.href.replace('/other/', '/company/'));
  },
  'with the code of another log-in of the browser': async (browser) => {
    const first = await comeBack(browser, 'company');
    const back = await comeBack(browser, 'company');
    back.searchParams.set('code', first.searchParams.get('code') ?? '');
    return browser.get(back.href);
  },
  'with an error of the provider': async (browser) => {
    const back = await comeBack(browser, 'company');
    back.searchParams.delete('code');
    back.searchParams.set('error', 'access_denied');
    return browser.get(back.href);
  },
  'in another browser': async (browser) => browse().get((await comeBack(browser, 'company')).href),
  'in another browser that started a log-in, too': async (browser) => {
    const victim = browse();
    await comeBack(victim, 'company');
    return victim.get((await comeBack(browser, 'company')).href);
  },
  'after its time': async (browser) => {
    const back = await comeBack(browser, 'company');
    await instance.write('UPDATE auth_challenges SET expires_at = now()');
    return browser.get(back.href);
  },
};

test.each(Object.entries(FORGERIES))('refuses a callback %s, and creates no user', async (_what, forge) => {
  const before = await usersNow();
  const answer = await forge(browse());
  expectError(answer, 'OIDC_FAILED');
  expect(answer.headers.get('set-cookie')).not.toContain('recollect_refresh');
  expect(await usersNow()).toBe(before);
});

test('accepts a callback once, of 5 at once', async () => {
  const browser = browse();
  const { href } = await comeBack(browser, 'company');
  const copies = Array.from({ length: 5 }, () => browser.copy());
  const answers = await Promise.all(copies.map((copy) => copy.get(href)));
  expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
  expectError(await browser.get(href), 'OIDC_FAILED');
});

test('does nothing for HEAD, which no one records', async () => {
  const browser = browse();
  const back = await comeBack(browser, 'company');
  for (const path of [`${back.pathname}${back.search}`, '/api/v1/auth/oidc/company/start'])
    expect((await fetch(`${instance.url}${path}`, { method: 'HEAD', redirect: 'manual' })).status).toBe(405);
  expect((await browser.get(back.href)).status).toBe(303);
});

test('refuses a parameter twice', async () => {
  const browser = browse();
  const { href } = await comeBack(browser, 'company');
  expectError(await browser.get(`${href}&code=x`), 'VALIDATION_FAILED', 'code');
});

describe('rules of a provider', () => {
  const VERIFIED = { email: 'writer@example.org', email_verified: true };

  test.each([
    ['an unverified address', { ...VERIFIED, email_verified: false, department: 'memory' }],
    ['an address of another domain', { ...VERIFIED, email: 'writer@evil.example', department: 'memory' }],
    ['another department', { ...VERIFIED, department: 'sales' }],
  ])('refuse a user with %s, and create none', async (_what, claims) => {
    const before = await usersNow();
    company.account = { ...company.account, ...claims };
    expectError(await logInBy('narrow'), 'FORBIDDEN');
    expect(await usersNow()).toBe(before);
  });

  test('admit a user who fulfils them, and store the verified address only', async () => {
    company.account = { ...company.account, ...VERIFIED, department: ['sales', 'memory'] };
    const { user } = bodyOf(meSchema, await instance.get('/auth/me', await tokenOf(await logInBy('narrow'))));
    expect(user.email).toBe('writer@example.org');
    company.account = { sub: 'unverified', ...VERIFIED, email_verified: false };
    const { user: without } = bodyOf(meSchema, await instance.get('/auth/me', await tokenOf(await logInBy('company'))));
    expect(without.email).toBeNull();
  });

  test('give the role at each log-in, and leave the last acting admin one', async () => {
    const roleWith = async (groups: readonly string[]) => {
      company.account = { ...company.account, groups };
      return bodyOf(meSchema, await instance.get('/auth/me', await tokenOf(await logInBy('roles')))).role;
    };
    expect(await roleWith(['staff', 'leads'])).toBe('admin');
    expect(await roleWith(['staff'])).toBe('user');
    company.account = { ...company.account, groups: ['visitors'] };
    expectError(await logInBy('roles'), 'FORBIDDEN');
    const { userId } = instance.admin;
    await instance.write('UPDATE user_identities SET user_id = $1 WHERE subject = $2', [userId, company.account.sub]);
    expect(await roleWith(['staff'])).toBe('admin');
  });

  test('count admins who log in without a key: one is demoted, the last one retains role and identity', async () => {
    const { tenantId, key } = await instance.stranger();
    await instance.write("UPDATE tenants SET name = 'south' WHERE id = $1", [tenantId]);
    const enter = async (sub: string, groups: readonly string[]) => {
      company.account = { sub, groups };
      // Access is changed below, which needs a recent proof.
      const browser = browse();
      const { location } = await browser.get(`${AUTH}/south/start?reauthenticate=true`);
      const token = await tokenOf(await browser.get(await browser.follow(location, callbackOf('south'))));
      return { token, me: bodyOf(meSchema, await instance.get('/auth/me', token)) };
    };
    await enter('first', ['leads']);
    const { token, me } = await enter('second', ['leads']);
    expect([me.role, (await enter('first', ['staff'])).me.role]).toEqual(['admin', 'user']);
    expect((await enter('second', ['staff'])).me.role).toBe('admin');
    const address = `/admin/users/${me.user.id}/identities`;
    const { data } = bodyOf(identityList, await instance.get(address, token));
    expectError(await instance.delete(`${address}/${data[0]?.id ?? ''}`, token), 'CONFLICT', 'identity_id');
    const { id } = bodyOf(meSchema, await instance.get('/auth/me', key)).credential;
    expect((await instance.delete(`/admin/api-keys/${id}`, token)).status).toBe(200);
  });

  test('take the address and its verification from one answer', async () => {
    company.account = { ...company.account, email: 'nora@example.org', email_verified: false };
    company.idToken = { email_verified: true };
    const browser = browse();
    const claims = JSON.stringify({ id_token: { email_verified: null } });
    const back = await comeBack(browser, 'company', (address) => address.searchParams.set('claims', claims));
    const { user } = bodyOf(meSchema, await instance.get('/auth/me', await tokenOf(await browser.get(back.href))));
    expect(user.email).toBeNull();
  });

  test('link a user by the verified address only, and if one user has it', async () => {
    const email = `linked${subject}@example.org`;
    const body = { username: `linked${subject}`, email, role: 'viewer' };
    const { user: known } = createdIn(invitedAnswer, await instance.post('/admin/users', body));
    const idAfter = async (name: string, claims: object) => {
      company.account = { sub: company.account.sub, ...claims };
      return bodyOf(meSchema, await instance.get('/auth/me', await tokenOf(await logInBy(name)))).user.id;
    };
    company.account = { sub: `${company.account.sub}-a` };
    expect(await idAfter('linking', { email, email_verified: false })).not.toBe(known.id);
    company.account = { sub: `${company.account.sub}-b` };
    expect(await idAfter('company', { email, email_verified: true })).not.toBe(known.id);
    await instance.write('UPDATE users SET email = NULL WHERE email = $1 AND id <> $2', [email, known.id]);
    company.account = { sub: `${company.account.sub}-c` };
    expect(await idAfter('linking', { email: email.toUpperCase(), email_verified: true })).toBe(known.id);
    // The next subject with this address is another person.
    company.account = { sub: `${company.account.sub}-d` };
    expect(await idAfter('linking', { email, email_verified: true })).not.toBe(known.id);
  });

  test('refuse a deactivated user, which the audit log records', async () => {
    const { user } = bodyOf(meSchema, await instance.get('/auth/me', await tokenOf(await logInBy('company'))));
    await instance.put(`/admin/users/${user.id}`, { active: false });
    expectError(await logInBy('company'), 'FORBIDDEN');
    const recorded = await instance.rows(
      "SELECT actor_id, status FROM audit_log WHERE subject_id = $1 AND action = 'GET /auth/oidc/:name/callback'",
      [user.id],
    );
    expect(recorded).toEqual([{ actor_id: null, status: 403 }]);
  });
});

describe('a provider', () => {
  test('is listed with its label', async () => {
    const { body } = await instance.get('/auth/oidc', null);
    expect(body).toMatchObject({
      data: [{ name: 'company', label: 'Company' }, { name: 'other' }, {}, {}, {}, {}, {}, {}],
    });
    expect(JSON.stringify(body)).not.toContain('secret');
    expectError(await instance.get('/auth/oidc/unknown/start', null), 'NOT_FOUND', 'name');
  });

  test.each([
    ['answers with an error', (_url: string, response) => response.writeHead(500).end()],
    ['closes the connection', (_url: string, response) => response.destroy()],
    ['redirects', (_url: string, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end()],
    [
      'answers without end',
      (_url: string, response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        const more = () => {
          while (!response.destroyed && response.write(' '.repeat(65_536)));
        };
        response.on('drain', more);
        more();
      },
    ],
    [
      'is another issuer',
      (_url: string, response) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ issuer: company.issuer })),
    ],
  ] satisfies [string, typeof answerBroken][])('that %s is reported by its name', async (_what, answer) => {
    answerBroken = answer;
    const refused = await instance.get('/auth/oidc/broken/start', null);
    expectError(refused, 'OIDC_UNAVAILABLE');
    expect(JSON.stringify(refused.body)).toContain('broken');
  });

  test('that answers again is used at once', async () => {
    const endpoint = (name: string) => `https://login.example.org/${name}`;
    answerBroken = (_url, response) => {
      const metadata = {
        issuer: brokenIssuer,
        authorization_endpoint: endpoint('authorize'),
        token_endpoint: endpoint('token'),
        jwks_uri: endpoint('jwks'),
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
      };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(metadata));
    };
    const { status, location } = await browse().get(`${AUTH}/broken/start`);
    expect([status, location]).toEqual([303, expect.stringMatching(/^https:\/\/login\.example\.org\/authorize\?/)]);
  });
});

test('lists the identities of a user, and unlinks one, for admins of the tenant', async () => {
  const token = await tokenOf(await logInBy('company'));
  const { user } = bodyOf(meSchema, await instance.get('/auth/me', token));
  const address = `/admin/users/${user.username}/identities`;
  const { data } = bodyOf(identityList, await instance.get(address));
  expect(data).toMatchObject([{ issuer: company.issuer, subject: company.account.sub }]);
  const one = `${address}/${data[0]?.id ?? ''}`;
  expectError(await instance.get(address, token), 'FORBIDDEN');
  const stranger = await instance.stranger({ role: 'admin' });
  expectError(await instance.get(address, stranger.key), 'NOT_FOUND');
  expectError(await instance.delete(one, stranger.key), 'NOT_FOUND');
  expect((await instance.delete(one)).status).toBe(200);
  expectError(await instance.delete(one), 'NOT_FOUND', 'identity_id');
  await expect.poll(async () => (await instance.get('/auth/me', token)).status).toBe(401);
  const again = bodyOf(meSchema, await instance.get('/auth/me', await tokenOf(await logInBy('company'))));
  expect(again.user.id).not.toBe(user.id);
});
