import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { meSchema } from '../../../contract/access.ts';
import { aboutSchema, browserAnswer, browserCode } from '../../../contract/browser.ts';
import { userSessionList } from '../../../contract/login.ts';
import { connected } from '../../../stores/postgres/connection/connected.ts';
import { giveToBrowser } from '../../../stores/postgres/access/browser-sessions.ts';
import { newBrowserToken } from '../../../stores/postgres/access/secrets.ts';
import type { ApiAnswer } from '../../setup/instance.ts';
import { untilTrue } from '../../setup/until.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { WITHIN_CACHE_TIME, createdIn, makeKey } from '../support/access.ts';
import { bodyOf, expectError } from '../support/answers.ts';
import { cookieOf, logIn, PASSWORD, withPassword } from '../support/log-in.ts';
import { follow, requestStream } from '../support/event-stream.ts';
import { startSecondApi } from '../support/second-api.ts';
import type { SecondApi } from '../support/second-api.ts';

/** Behind a proxy on this machine, which can report TLS. */
const instance = fileInstance({
  RECOLLECT_TRUST_PROXY: '127.0.0.1/32',
  RECOLLECT_RATE_UNKNOWN_KEYS: '200',
});
let second: SecondApi;

beforeAll(async () => {
  second = await startSecondApi(instance);
});
afterAll(() => second.close());

const OWN = { 'sec-fetch-site': 'same-origin' };
/** What a browser sends with the cookie. */
const signed = (cookie: string, headers: Readonly<Record<string, string>> = OWN) => ({
  key: null,
  headers: { cookie, ...headers },
});
const signIn = (body: object, headers: Readonly<Record<string, string>> = OWN) =>
  instance.call('POST', '/auth/browser', { key: null, body, headers });
/** Signs a browser in; returns the cookie as it sends it. */
async function cookieFor(body: object): Promise<string> {
  const answer = await signIn(body);
  expect([answer.status, answer.body]).toEqual([200, expect.anything()]);
  return cookieOf(answer);
}
const codeOf = async (key: string) =>
  createdIn(browserCode, await instance.post('/auth/browser/codes', undefined, key)).code;
const refreshed = (cookie: string) => instance.call('POST', '/auth/refresh', signed(cookie));
const me = (cookie: string) => instance.call('GET', '/auth/me', signed(cookie));
const statusThere = async (cookie: string) =>
  (await fetch(`${second.url}/api/v1/auth/me`, { headers: { cookie, ...OWN } })).status;
const audited = (userId: string, action: string) =>
  instance.rows('SELECT status, credential_kind FROM audit_log WHERE actor_id = $1 AND action = $2 ORDER BY seq', [
    userId,
    action,
  ]);

describe('a browser signs in', () => {
  test('by a key: scripts cannot read the cookie, which contains no key, and another process knows it', async () => {
    const { key, userId, tenantId } = await instance.user({ scopes: ['read'] });
    const answer = await signIn({ api_key: key });
    const { instance_id: instanceId } = bodyOf(aboutSchema, await instance.get('/about', null));
    const header = answer.headers.get('set-cookie') ?? '';
    expect(header).toMatch(
      new RegExp(`^recollect_${instanceId}=rcb_[\\w-]{43}; Path=/; Expires=[^;]+; HttpOnly; SameSite=Strict$`),
    );
    expect([answer.headers.get('cache-control'), header.includes(key)]).toEqual(['no-store', false]);
    const cookie = cookieOf(answer);
    const { session_id: id } = bodyOf(browserAnswer, answer);
    expect(bodyOf(meSchema, await me(cookie))).toMatchObject({
      user: { id: userId },
      tenant: { id: tenantId },
      scopes: ['read'],
      credential: { kind: 'key' },
      bounds: null,
      session: { id, methods: ['key'], prove_by: 'sign_in', proven_until: expect.any(String) },
      server: { version: expect.any(String) },
    });
    expect(await statusThere(cookie)).toBe(200);
    const stored = await instance.rows('SELECT to_jsonb(s)::text AS row FROM user_sessions s WHERE id = $1', [id]);
    expect(JSON.stringify(stored)).not.toContain(cookie.split('=')[1]);
    expect(await audited(userId, 'POST /auth/browser')).toEqual([{ status: 200, credential_kind: 'key' }]);
  });

  test('by a code, which one of five requests at once can use, within two minutes', async () => {
    const { key, userId } = await instance.user();
    const code = await codeOf(key);
    const answers = await Promise.all(Array.from({ length: 5 }, () => signIn({ code })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401, 401, 401, 401]);
    expectError(await signIn({ code }), 'INVALID_CREDENTIALS');
    // Nor can a request whose transaction began before.
    const other = await codeOf(key);
    await connected({ connectionString: instance.db.url('app') }, async (client) => {
      await client.query('BEGIN; SELECT now()');
      expect((await signIn({ code: other })).status).toBe(200);
      const taken = "SELECT take_auth_challenge(sha256(convert_to($1, 'UTF8')), 'browser') AS data";
      expect((await client.query(taken, [other])).rows).toEqual([{ data: null }]);
      await client.query('COMMIT');
    });
    const late = await codeOf(key);
    await instance.write("UPDATE auth_challenges SET expires_at = expires_at - interval '2 minutes'");
    expectError(await signIn({ code: late }), 'INVALID_CREDENTIALS');
    expect(await audited(userId, 'POST /auth/browser/codes')).toHaveLength(3);
    expect(await instance.rows("SELECT FROM auth_challenges WHERE data::text LIKE '%' || $1 || '%'", [code])).toEqual(
      [],
    );
  });

  test('by a log-in, whose session becomes that of the browser', async () => {
    const user = await instance.user();
    const credentials = await withPassword(instance, user);
    const { access_token: token, session_id: id, cookie: refresh } = await logIn(instance, credentials);
    const answer = await signIn({ access_token: token });
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringContaining('__Host-recollect_refresh=;'),
      expect.stringMatching(/^recollect_/),
    ]);
    expectError(await refreshed(refresh), 'INVALID_TOKEN');
    const cookie = (answer.headers.getSetCookie()[1] ?? '').split(';', 1).join('');
    const mine = bodyOf(meSchema, await me(cookie));
    expect([mine.credential.kind, mine.session]).toEqual([
      'session',
      { id, methods: ['password'], prove_by: 'password', proven_until: expect.any(String) },
    ]);
    const listed = bodyOf(userSessionList, await instance.call('GET', '/auth/sessions', signed(cookie)));
    expect(listed.data.map(({ id: each, is_current: isCurrent }) => [each, isCurrent])).toEqual([[id, true]]);
    // Another proof replaces the session, and the cookie with it.
    const proven = await instance.call('POST', '/auth/step-up', { ...signed(cookie), body: { password: PASSWORD } });
    const next = cookieOf(proven);
    expect([proven.status, next === cookie, next.startsWith('recollect_')]).toEqual([200, false, true]);
    expect([(await me(cookie)).status, (await me(next)).status]).toEqual([401, 200]);
  });

  test('while another tab refreshes the log-in, which gets no token', async () => {
    const user = await instance.user();
    const { session_id: id, cookie: refresh } = await logIn(instance, await withPassword(instance, user));
    const refreshing = await instance.db.database.asTenant(user.tenantId, async (transaction) => {
      expect(await giveToBrowser(transaction, id, newBrowserToken())).toBe(true);
      const sent = refreshed(refresh);
      await untilTrue(
        async () =>
          (await instance.count("pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")) >
          0,
      );
      return { sent };
    });
    expectError(await refreshing.sent, 'INVALID_TOKEN');
    expect(await instance.count('refresh_tokens WHERE session_id = $1', [id])).toBe(0);
    expect(await instance.count('user_sessions WHERE id = $1 AND ended_at IS NULL', [id])).toBe(1);
  });

  test('with one credential only, and not with what is none', async () => {
    const { key } = await instance.user();
    const cookie = await cookieFor({ api_key: key });
    const token = cookie.split('=')[1] ?? '';
    expectError(await signIn({}), 'VALIDATION_FAILED', 'code');
    expectError(await signIn({ api_key: key, code: 'x'.repeat(43) }), 'VALIDATION_FAILED', 'code');
    expectError(await signIn({ code: 'short' }), 'VALIDATION_FAILED', 'code');
    expectError(await signIn({ api_key: 'x'.repeat(2_049) }), 'VALIDATION_FAILED', 'api_key');
    expectError(await signIn({ access_token: 'x'.repeat(2_049) }), 'VALIDATION_FAILED', 'access_token');
    expectError(await signIn({ api_key: 'rcl_unknown' }), 'INVALID_API_KEY');
    expectError(await signIn({ access_token: 'a.b.c' }), 'INVALID_TOKEN');
    // A stolen cookie neither renews itself nor works elsewhere.
    expectError(await signIn({ api_key: token }), 'INVALID_API_KEY');
    expectError(await instance.get('/auth/me', token), 'UNAUTHENTICATED');
    expectError(await instance.call('POST', '/auth/browser/codes', signed(cookie)), 'FORBIDDEN');
  });

  test('over TLS with a cookie that pages by plain HTTP cannot set', async () => {
    const { key } = await instance.user();
    const tls = { ...OWN, 'x-forwarded-proto': 'https' };
    const answer = await signIn({ api_key: key }, tls);
    expect(answer.headers.get('set-cookie')).toMatch(/^__Host-recollect_.*; HttpOnly; Secure; SameSite=Strict$/);
    const cookie = cookieOf(answer);
    expect((await instance.call('GET', '/auth/me', signed(cookie, tls))).status).toBe(200);
    expectError(await me(cookie), 'UNAUTHENTICATED');
  });
});

describe('the cookie', () => {
  test('signs requests of pages of this server only', async () => {
    const { key } = await instance.user();
    const cookie = await cookieFor({ api_key: key });
    const own = instance.url;
    const port = `${own.slice(0, own.lastIndexOf(':'))}:1`;
    const answered = async (method: string, headers: Readonly<Record<string, string>>) => {
      const body = method === 'GET' ? {} : { body: { content: `A note ${Math.random()}` } };
      const path = method === 'GET' ? '/auth/me' : '/memories';
      return (await instance.call(method, path, { ...signed(cookie, headers), ...body })).status;
    };
    for (const headers of [
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'none' },
      { origin: port },
      { origin: 'null' },
      { origin: 'https://example.org', 'sec-fetch-site': 'same-origin' },
    ] as readonly Readonly<Record<string, string>>[])
      for (const method of ['GET', 'POST'])
        expect([method, headers, await answered(method, headers)]).toEqual([method, headers, 403]);
    // By plain HTTP to another machine a browser sends Origin only with what changes something.
    expect([await answered('POST', {}), await answered('GET', {})]).toEqual([403, 200]);
    expect([await answered('POST', { origin: own }), await answered('POST', OWN)]).toEqual([201, 201]);
    expectError(await instance.call('POST', '/memories', { ...signed(cookie, {}), body: {} }), 'ORIGIN_NOT_ALLOWED');
    expectError(await signIn({ api_key: key }, { origin: port }), 'ORIGIN_NOT_ALLOWED');
    expectError(await instance.call('DELETE', '/auth/browser', signed(cookie, { origin: port })), 'ORIGIN_NOT_ALLOWED');
  });

  test('signs JSON and files of imports only, which no form of another page can send', async () => {
    const { key } = await instance.user();
    const cookie = await cookieFor({ api_key: key });
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonp',
      // The type of a file, to a route that reads none.
      'application/zstd',
    ])
      expectError(
        await instance.call('POST', '/memories', { ...signed(cookie, { ...OWN, 'content-type': type }), raw: '{}' }),
        'UNSUPPORTED_MEDIA_TYPE',
      );
    const admin = await cookieFor({ api_key: instance.admin.key });
    const upload = { ...signed(admin, { ...OWN, 'content-type': 'application/zstd' }), raw: 'a file' };
    expect((await instance.call('POST', '/imports/files', upload)).status).toBe(202);
    const foreign = { ...OWN, 'sec-fetch-site': 'same-site', 'content-type': 'application/zstd' };
    expectError(
      await instance.call('POST', '/imports/files', { ...signed(admin, foreign), raw: 'a file' }),
      'ORIGIN_NOT_ALLOWED',
    );
  });

  test('signs nothing at /mcp, which pages of other hosts may call', async () => {
    const { key } = await instance.user();
    const cookie = await cookieFor({ api_key: key });
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'search', arguments: { q: 'x' } } };
    const accept = 'application/json, text/event-stream';
    for (const headers of [OWN, { 'sec-fetch-site': 'cross-site' }, { origin: 'https://example.org' }]) {
      const answer = await instance.call('POST', '/mcp', { ...signed(cookie, { ...headers, accept }), body });
      expectError(answer, 'UNAUTHENTICATED');
      expect(answer.body).toMatchObject({ error: expect.stringContaining('it accepts no cookie') });
    }
    const withKey = await instance.call('POST', '/mcp', { key, headers: { cookie, accept }, body });
    expect(withKey.status).toBe(200);
  });

  test('of another instance on this host is none', async () => {
    const { key } = await instance.user();
    const token = (await cookieFor({ api_key: key })).split('=')[1] ?? '';
    expectError(await me(`recollect_0123456789abcdef=${token}`), 'UNAUTHENTICATED');
  });

  test('is ignored beside a key in the header', async () => {
    const [one, other] = [await instance.user(), await instance.user()];
    const cookie = await cookieFor({ api_key: one.key });
    const answer = await instance.call('GET', '/auth/me', { key: other.key, headers: { cookie } });
    expect(bodyOf(meSchema, answer).user.id).toBe(other.userId);
  });

  test('opens an event stream, which ends with its session', async () => {
    const { key } = await instance.user();
    const cookie = await cookieFor({ api_key: key });
    expect((await requestStream(instance.url, '', '?follow=false').response).status).toBe(401);
    const stream = await follow(instance.url, '', '', { cookie, ...OWN });
    await instance.call('DELETE', '/auth/browser', signed(cookie));
    await stream.ended;
  });
});

describe('the session of a browser', () => {
  test.each([
    ['its key is revoked', async (keyId: string) => instance.delete(`/admin/api-keys/${keyId}`)],
    [
      'its user is deactivated',
      async (_key: string, userId: string) => instance.put(`/admin/users/${userId}`, { active: false }),
    ],
    [
      'the user ends it elsewhere',
      async (_key: string, _userId: string, id: string, key: string) => instance.delete(`/auth/sessions/${id}`, key),
    ],
    [
      'the browser signs out',
      async (_key: string, _userId: string, _id: string, _own: string, cookie: string) =>
        instance.call('DELETE', '/auth/browser', signed(cookie)),
    ],
  ])('ends in another process before its cache ends after %s', async (_what, change) => {
    const user = await instance.user();
    const { key, api_key: secret } = await makeKey(instance, { user: user.userId });
    const answer = await signIn({ api_key: secret });
    const cookie = cookieOf(answer);
    expect(await statusThere(cookie)).toBe(200);
    const changed: ApiAnswer = await change(
      key.id,
      user.userId,
      bodyOf(browserAnswer, answer).session_id,
      user.key,
      cookie,
    );
    expect(changed.status).toBe(200);
    await expect.poll(() => statusThere(cookie), WITHIN_CACHE_TIME).toBe(401);
    expectError(await me(cookie), 'INVALID_TOKEN');
  });

  test('ends at a sign-out, which clears the cookie, and at the next sign-in of the browser', async () => {
    const { key, userId } = await instance.user();
    const first = await cookieFor({ api_key: key });
    const next = cookieOf(await signIn({ api_key: key }, { ...OWN, cookie: first }));
    expect([(await me(first)).status, (await me(next)).status]).toEqual([401, 200]);
    const out = await instance.call('DELETE', '/auth/browser', signed(next));
    expect([out.body, out.headers.get('set-cookie')]).toEqual([
      { ended: 1 },
      expect.stringContaining('Expires=Thu, 01 Jan 1970'),
    ]);
    expect((await instance.call('DELETE', '/auth/browser', signed(next))).body).toEqual({ ended: 0 });
    expect(await audited(userId, 'DELETE /auth/browser')).toEqual([{ status: 200, credential_kind: 'key' }]);
    expect(
      await instance.rows('SELECT end_reason FROM user_sessions WHERE user_id = $1 ORDER BY id', [userId]),
    ).toEqual([{ end_reason: 'replaced' }, { end_reason: 'logout' }]);
  });

  test('ends with its key, without use, and after its time', async () => {
    const { userId } = await instance.user();
    const soon = new Date(Date.now() + 60_000).toISOString();
    const { api_key: secret } = await makeKey(instance, { user: userId, expires_at: soon });
    const answer = await signIn({ api_key: secret });
    const { session_id: id, expires_at: end } = bodyOf(browserAnswer, answer);
    expect(end).toBe(soon);
    const cookie = cookieOf(answer);
    // A use is recorded every five minutes.
    await instance.write("UPDATE user_sessions SET last_used_at = now() - interval '167 hours' WHERE id = $1", [id]);
    expect(await statusThere(cookie)).toBe(200);
    await expect
      .poll(() => instance.count(`user_sessions WHERE id = '${id}' AND last_used_at > now() - interval '1 minute'`))
      .toBe(1);
    await instance.write(
      "UPDATE user_sessions SET last_used_at = now() - interval '169 hours', mfa_at = now() WHERE id = $1",
      [id],
    );
    await expect.poll(() => statusThere(cookie), WITHIN_CACHE_TIME).toBe(401);
  });

  test('has the rights of its key and no more', async () => {
    const admin = await instance.user({ role: 'admin' });
    const agent = await makeKey(instance, { user: admin.userId, scopes: ['read'] });
    const cookie = await cookieFor({ api_key: agent.api_key });
    const refused = async (method: string, path: string, body?: object) =>
      instance.call(method, path, { ...signed(cookie), ...(body === undefined ? {} : { body }) });
    expectError(await refused('GET', '/admin/users'), 'FORBIDDEN');
    expectError(await refused('POST', '/memories', { content: 'A note' }), 'FORBIDDEN');
    expectError(await refused('GET', '/auth/sessions'), 'FORBIDDEN');
    expectError(await refused('PUT', '/auth/password', { password: PASSWORD }), 'FORBIDDEN');
    const bound = await makeKey(instance, { user: admin.userId, namespaces: ['one'] });
    const within = await cookieFor({ api_key: bound.api_key });
    expect(bodyOf(meSchema, await me(within)).bounds).toEqual({ namespaces: ['one'], projects: [] });
    expectError(await instance.call('GET', '/stats', signed(within)), 'FORBIDDEN');
  });

  test('needs a sign-in of the last five minutes for what needs a proof', async () => {
    const admin = await instance.user({ role: 'admin' });
    const cookie = await cookieFor({ code: await codeOf(admin.key) });
    const create = (with_: string) =>
      instance.call('POST', '/admin/api-keys', { ...signed(with_), body: { name: 'made', scopes: ['read'] } });
    expect((await create(cookie)).status).toBe(201);
    await instance.write(
      "UPDATE user_sessions SET authenticated_at = now() - interval '6 minutes', mfa_at = now() WHERE user_id = $1",
      [admin.userId],
    );
    await expect.poll(async () => (await create(cookie)).status, WITHIN_CACHE_TIME).toBe(403);
    expectError(await create(cookie), 'STEP_UP_REQUIRED');
    // The key, too, ends before what it may create: the end of the session is none of the key.
    const { api_key: brief } = await makeKey(instance, {
      user: admin.userId,
      scopes: ['read', 'admin'],
      expires_at: new Date(Date.now() + 60_000).toISOString(),
    });
    expectError(await create(await cookieFor({ api_key: brief })), 'FORBIDDEN', 'expires_at');
    const again = cookieOf(await signIn({ code: await codeOf(admin.key) }, { ...OWN, cookie }));
    expect((await create(again)).status).toBe(201);
  });

  test('reads nothing of other tenants', async () => {
    const [{ key }, stranger] = [await instance.user(), await instance.stranger({ role: 'admin' })];
    await instance.post('/memories', { content: 'The heron nests in the north tower' }, key);
    const cookie = await cookieFor({ api_key: stranger.key });
    const found = await instance.call('GET', '/learnings', signed(cookie));
    expect([found.status, JSON.stringify(found.body).includes('heron')]).toEqual([200, false]);
  });
});

test('a sign-in that cannot be recorded gives no cookie', async () => {
  const { key, userId } = await instance.user();
  await instance.db.superuser.query('ALTER TABLE audit_heads RENAME TO audit_heads_elsewhere');
  try {
    const answer = await signIn({ api_key: key });
    expectError(answer, 'STORAGE_UNAVAILABLE');
    expect(answer.headers.get('set-cookie')).toBeNull();
  } finally {
    await instance.db.superuser.query('ALTER TABLE audit_heads_elsewhere RENAME TO audit_heads');
  }
  expect(await instance.rows('SELECT end_reason FROM user_sessions WHERE user_id = $1', [userId])).toEqual([
    { end_reason: 'ended' },
  ]);
});

test('a sign-in page learns how to sign in, and no more', async () => {
  const about = await instance.get('/about', null);
  expect(bodyOf(aboutSchema, about)).toEqual({
    instance_id: expect.stringMatching(/^[0-9a-f]{16}$/),
    public_url: null,
    tls: false,
    sign_in: { password: true, passkeys: true, providers: [] },
  });
  expect(JSON.stringify(about.body)).not.toContain(instance.admin.tenantId);
});

test('guesses of one address are limited like log-ins', async () => {
  const from = { ...OWN, 'x-forwarded-for': '203.0.113.9' };
  const statuses = new Set<number>();
  for (let n = 0; n <= instance.config.rates.unknownKeys && !statuses.has(429); n += 20)
    for (const { status } of await Promise.all(
      Array.from({ length: 20 }, () => signIn({ code: 'x'.repeat(43) }, from)),
    ))
      statuses.add(status);
  expect([...statuses].toSorted((a, b) => a - b)).toEqual([401, 429]);
});
