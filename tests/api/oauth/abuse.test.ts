import { beforeAll, describe, expect, test } from 'vitest';
import type { TestUser } from '../../setup/database.ts';
import { countRefreshes } from '../../setup/refreshes.ts';
import {
  allow,
  authorizationAddress,
  callMcp,
  logIn,
  obtainCode,
  obtainTokens,
  redeem,
  refresh,
  register,
  oauthInstance,
  send,
  statusAtMcp,
  tokenRequest,
  userWithPassword,
} from './support/authorize.ts';
import { WITHIN_CACHE_TIME } from '../support/access.ts';
import { Browser } from './support/browser.ts';
import { pkce, REDIRECT } from './support/client.ts';

const instance = oauthInstance();
let user: TestUser;
let clientId: string;

beforeAll(async () => {
  user = await userWithPassword(instance);
  clientId = await register(instance);
});

/** Opens the page of a request, with other parameters. */
async function opened(parameters: Readonly<Record<string, string>> = {}) {
  const browser = new Browser(instance.url);
  const given = { client_id: clientId, code_challenge: pkce().challenge, ...parameters };
  return { browser, page: await browser.open(authorizationAddress(instance, given)) };
}

describe('registration rejects', () => {
  test.each([
    ['a script as redirect address', { redirect_uris: ['javascript:alert(1)'] }],
    ['a redirect in clear to another machine', { redirect_uris: ['http://app.example.org/callback'] }],
    ['no redirect address', {}],
    ['a client with a secret', { redirect_uris: [REDIRECT], token_endpoint_auth_method: 'client_secret_post' }],
    ['an unknown scope', { redirect_uris: [REDIRECT], scope: 'read admin' }],
    ['another grant type', { redirect_uris: [REDIRECT], grant_types: ['client_credentials'] }],
  ])('%s', async (_what, body) => {
    const { status, body: answer } = await send(instance, '/oauth/register', body);
    expect([status, answer]).toEqual([400, { error: expect.any(String), error_description: expect.any(String) }]);
  });
});

describe('the authorization endpoint', () => {
  test.each([
    ['no PKCE', { code_challenge: '' }],
    ['plain PKCE', { code_challenge_method: 'plain' }],
    ['another resource', { resource: 'https://other.example.org/mcp' }],
    ['another response type', { response_type: 'none' }],
    ['a log-in without the user', { prompt: 'none' }],
  ])('sends the client an error for %s', async (_what, parameters) => {
    const { page } = await opened(parameters);
    expect(page.location?.origin).toBe(new URL(REDIRECT).origin);
    expect(Object.fromEntries(page.location?.searchParams ?? [])).toMatchObject({
      error: expect.any(String),
      iss: `${instance.url}/oauth`,
      state: 'the state',
    });
  });

  test.each([
    ['a redirect address of another client', { redirect_uri: 'https://thief.example.org/callback' }],
    ['an unknown client', { client_id: 'unknown' }],
    ['a client document of the metadata service', { client_id: 'https://169.254.169.254/client.json' }],
    ['a client document at a private name', { client_id: 'https://localhost/client.json' }],
    ['a client document over plain HTTP', { client_id: 'http://example.org/client.json' }],
  ])('shows an error and redirects nowhere for %s', async (_what, parameters) => {
    const { page } = await opened(parameters);
    expect(page.location).toBeNull();
    expect(page.status).toBe(400);
    expect(page.html).toContain('This request cannot continue');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page.html).not.toMatch(/<script|https?:\/\//);
  });

  test('rejects a request that is too long, and takes odd text', async () => {
    const { page } = await opened({ state: 'a'.repeat(4_096) });
    expect([page.status, page.html]).toEqual([422, expect.stringContaining('longer than 4096')]);
    const { page: odd } = await opened({ state: 'a\0b' });
    expect(odd.html).toContain('Log in');
  });

  test('uses the public address, whatever the Host header names', async () => {
    const thief = { host: 'localhost:1', 'x-forwarded-host': 'thief.example.org', 'x-forwarded-proto': 'https' };
    const metadata = await fetch(`${instance.url}/.well-known/oauth-authorization-server/oauth`, { headers: thief });
    expect(await metadata.text()).not.toMatch(/thief|localhost/);
    const browser = new Browser(instance.url);
    const address = authorizationAddress(instance, { client_id: clientId, code_challenge: pkce().challenge });
    const { html } = await browser.open(address, thief);
    expect(html).toContain('Log in');
    await logIn(browser, user);
    expect((await allow(browser, 'read')).location?.searchParams.get('iss')).toBe(`${instance.url}/oauth`);
  });
});

describe('the pages', () => {
  test('refuse a form of another site', async () => {
    const { browser } = await opened();
    await logIn(browser, user);
    const form = [
      ['action', 'allow'],
      ['scope', 'write'],
    ] as const;
    expect(await browser.submit(form, 'https://thief.example.org')).toMatchObject({ status: 403 });
    expect(await browser.submit(form, 'null')).toMatchObject({ status: 403 });
  });

  test('answer only the browser that started the request', async () => {
    const { browser } = await opened();
    const other = new Browser(instance.url);
    expect(await other.open(browser.address)).toMatchObject({ status: 404 });
    const { browser: own } = await opened();
    other.cookies.clear();
    for (const [name, { value }] of own.cookies) other.cookies.set(name, { value, path: '/' });
    expect(await other.open(browser.address)).toMatchObject({ status: 404 });
  });

  test('do not continue without a log-in', async () => {
    const { browser } = await opened();
    expect((await allow(browser, 'read', 'write')).html).toContain('<h1>Log in</h1>');
    const resume = browser.address.replace('/interaction/', '/auth/');
    expect((await browser.open(resume)).html).toContain('<h1>Log in</h1>');
  });

  test('escape the name of a client, and limit where the form leads', async () => {
    const hostile = await register(instance, '<img src=x onerror=alert(1)>"');
    const { browser, page } = await opened({ client_id: hostile });
    expect(page.html).toContain('&lt;img src=x onerror=alert(1)&gt;&quot;');
    const { headers } = await logIn(browser, user);
    const policy = headers.get('content-security-policy');
    expect(policy).toContain(`form-action 'self' ${new URL(REDIRECT).origin};`);
    expect(policy).toContain("frame-ancestors 'none'");
  });

  test('name the field of a form that is too long', async () => {
    const { browser } = await opened();
    const page = await browser.submit([
      ['action', 'password'],
      ['username', 'a'.repeat(255)],
      ['password', 'x'],
    ]);
    expect([page.status, page.html]).toEqual([422, expect.stringContaining('username')]);
  });

  test('offer a viewer no more than the role has', async () => {
    const viewer = await userWithPassword(instance, 'viewer');
    const { browser } = await opened();
    expect((await logIn(browser, viewer)).html).not.toContain('value="write"');
    const { code, verifier } = await obtainCode(instance, viewer, clientId, ['read', 'write']);
    expect((await redeem(instance, clientId, { code, verifier })).body).toMatchObject({ scope: 'read' });
  });

  test('send the client an error if the user denies access, and leave no cookie', async () => {
    const { browser } = await opened();
    const { location } = await browser.submit([['action', 'cancel']]);
    expect(location?.searchParams.get('error')).toBe('access_denied');
    const { browser: other } = await opened();
    await logIn(other, user);
    await allow(other, 'read');
    expect([...other.cookies.keys()].filter((name) => name.includes('session'))).toEqual([]);
  });
});

describe('the token endpoint', () => {
  test('ends the grant when a code comes twice', async () => {
    const code = await obtainCode(instance, user, clientId);
    const { body } = await redeem(instance, clientId, code);
    expect(await statusAtMcp(instance, String(body['access_token']))).toBe(200);
    expect(await redeem(instance, clientId, code)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    await expect.poll(() => statusAtMcp(instance, String(body['access_token'])), WITHIN_CACHE_TIME).toBe(401);
  });

  test('gives at most one token for a code that comes ten times at once', async () => {
    const code = await obtainCode(instance, user, clientId);
    const answers = await Promise.all(Array.from({ length: 10 }, () => redeem(instance, clientId, code)));
    const granted = answers.filter(({ status }) => status === 200);
    expect(granted.length).toBeLessThanOrEqual(1);
    for (const { body } of granted)
      await expect.poll(() => statusAtMcp(instance, String(body['access_token'])), WITHIN_CACHE_TIME).toBe(401);
  });

  test.each([
    ['another verifier', { code_verifier: pkce().verifier }],
    ['another redirect address', { redirect_uri: 'http://127.0.0.1:34567/other' }],
    ['another resource', { resource: 'https://other.example.org/mcp' }],
    ['another client', { client_id: 'unknown' }],
  ])('rejects a code with %s', async (_what, parameters) => {
    const { code, verifier } = await obtainCode(instance, user, clientId);
    const all = {
      grant_type: 'authorization_code',
      client_id: clientId,
      redirect_uri: REDIRECT,
      code,
      code_verifier: verifier,
    };
    const { status, body } = await tokenRequest(instance, { ...all, ...parameters });
    expect([status >= 400 && status < 500, body]).toEqual([
      true,
      expect.objectContaining({ error: expect.any(String) }),
    ]);
  });

  test('gives concurrent refreshes the same next token, and ends the grant when an old token comes back', async () => {
    const { refresh_token: first } = await obtainTokens(instance, user, clientId);
    const countedSince = await countRefreshes(instance);
    const answers = await Promise.all(Array.from({ length: 5 }, () => refresh(instance, clientId, first)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const [next = '', ...others] = new Set(answers.map(({ body }) => String(body['refresh_token'])));
    expect(others).toEqual([]);
    const { status, body } = await refresh(instance, clientId, next);
    expect(status).toBe(200);
    // Eleven seconds later.
    await instance.write(
      "UPDATE oauth_payloads SET consumed_at = consumed_at - interval '11 s' WHERE consumed_at IS NOT NULL",
    );
    expect(await refresh(instance, clientId, first)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    await expect.poll(() => statusAtMcp(instance, String(body['access_token'])), WITHIN_CACHE_TIME).toBe(401);
    expect(await refresh(instance, clientId, String(body['refresh_token']))).toMatchObject({ status: 400 });
    expect(await countedSince()).toEqual({ rotated: 2, repeated: 4, reused: 1, refused: 1 });
  });

  test('ends the grant of a token that the client revokes', async () => {
    const { access_token: token, refresh_token: other } = await obtainTokens(instance, user, clientId);
    await send(instance, '/oauth/revoke', new URLSearchParams({ client_id: clientId, token: other }));
    await expect.poll(() => statusAtMcp(instance, token), WITHIN_CACHE_TIME).toBe(401);
    const [last] = await instance.rows('SELECT end_reason FROM oauth_grants ORDER BY id DESC LIMIT 1');
    expect(last).toEqual({ end_reason: 'client' });
  });
});

describe('an access token', () => {
  test('works at /mcp only', async () => {
    const { access_token: token } = await obtainTokens(instance, user, clientId);
    expect(await statusAtMcp(instance, token)).toBe(200);
    for (const path of ['/search?q=x', '/auth/me', '/auth/grants', '/mcp'])
      expect(await instance.get(path, token)).toMatchObject({ status: 401, body: { code: 'INVALID_TOKEN' } });
    // The ticket of a request of the server itself cannot be guessed.
    const forged = { 'x-recollect-inner-call': crypto.randomUUID() };
    expect(await instance.call('GET', '/search?q=x', { key: token, headers: forged })).toMatchObject({ status: 401 });
  });

  test('for reading leads to a consent for the tools that write', async () => {
    const { access_token: token } = await obtainTokens(instance, user, clientId, ['read']);
    const answer = await callMcp(instance, token, 'tools/call', { name: 'remember', arguments: { content: 'x' } });
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      403,
      `Bearer error="insufficient_scope", scope="read write", resource_metadata="${instance.url}/.well-known/oauth-protected-resource/mcp"`,
    ]);
  });

  test.each([
    ['a JSON Web Token', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.'],
    ['an unknown token', 'rco_0123456789012345678901234567890123456789012'],
  ])('is refused with the way to another if it is %s', async (_what, token) => {
    const answer = await callMcp(instance, token, 'tools/list', {});
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('invalid_token'),
    ]);
  });

  test('counts and is recorded once for each request', async () => {
    // The minute in which requests are counted begins with the first one of the user.
    const fresh = await userWithPassword(instance);
    const { access_token: token } = await obtainTokens(instance, fresh, clientId);
    const remaining = async () => {
      const answer = await callMcp(instance, token, 'tools/call', { name: 'search', arguments: { q: 'harbour' } });
      return Number(/r=(\d+)/.exec(answer.headers.get('ratelimit') ?? '')?.[1]);
    };
    expect((await remaining()) - (await remaining())).toBe(1);
    const recorded = () =>
      instance.count("audit_log WHERE action = 'POST /memories' AND actor_id = $1", [fresh.userId]);
    const before = await recorded();
    const written = await callMcp(instance, token, 'tools/call', { name: 'remember', arguments: { content: 'Once.' } });
    expect(written.status).toBe(200);
    expect((await recorded()) - before).toBe(1);
  });
});

test('the database contains no code and no token', async () => {
  const { access_token: token, refresh_token: other } = await obtainTokens(instance, user, clientId);
  const { browser } = await opened();
  const secrets = [token, other, browser.address.split('/').at(-1) ?? ''];
  const rows = await instance.rows<{ text: string }>('SELECT p::text AS text FROM oauth_payloads p');
  expect(rows.length).toBeGreaterThan(3);
  for (const secret of secrets) expect(rows.filter(({ text }) => text.includes(secret))).toEqual([]);
});

test('an address registers a limited number of clients', async () => {
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => send(instance, '/oauth/register', { redirect_uris: [REDIRECT] })),
  );
  expect(answers.map(({ status }) => status)).toContain(429);
});
