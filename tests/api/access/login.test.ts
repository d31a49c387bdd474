import { generateKeyPairSync, hash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { decodeJwt, decodeProtectedHeader, exportJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { meSchema } from '../../../contract/access.ts';
import { userSessionList } from '../../../contract/login.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { countRefreshes } from '../../setup/refreshes.ts';
import { until, untilTrue } from '../../setup/until.ts';
import { longLivedFolder } from '../../infra/support/long-lived-folder.ts';
import { WITHIN_CACHE_TIME, invite } from '../support/access.ts';
import { bodyOf, expectError } from '../support/answers.ts';
import { cookieOf, expectEnded, logIn, logInFrom, PASSWORD, withPassword } from '../support/log-in.ts';
import { startSecondApi } from '../support/second-api.ts';
import type { SecondApi } from '../support/second-api.ts';

/** Limit for a hang. */
const BUSY_MS = 120_000;
const BREACHED = 'breached horse battery';
const instance = fileInstance(async () => {
  const file = path.join(longLivedFolder(), 'breached.txt');
  await writeFile(file, `${hash('sha1', BREACHED).toUpperCase()}:17\r\n`);
  return { RECOLLECT_BREACHED_PASSWORDS_FILE: file };
});
let second: SecondApi;

beforeAll(async () => {
  second = await startSecondApi(instance);
});
afterAll(() => second.close());
// Other addresses than loopback are not available: each test begins without attempts from it.
beforeEach(() => instance.write('DELETE FROM auth_attempts'));

const there = async (path: string, token: string): Promise<number> =>
  (await fetch(`${second.url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } })).status;
const refreshAt = (url: string, cookie: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(`${url}/api/v1/auth/refresh`, { method: 'POST', headers: { cookie, ...headers } });
const audited = (action: string, userId: string) =>
  instance.rows<{ status: number; actor_id: string | null }>(
    'SELECT status, actor_id FROM audit_log WHERE action = $1 AND $2 IN (actor_id::text, subject_id) ORDER BY seq',
    [action, userId],
  );

test('a password from a data breach, or of the own names, is rejected; the invite remains', async () => {
  const user = await instance.user();
  const { user: invited, invite: sent } = await invite(instance, 'breached');
  const accept = (password: string) => instance.post('/auth/invites/accept', { token: sent.token, password }, null);
  for (const password of [BREACHED, 'recollect-1!', 'x'.repeat(12)]) {
    expectError(await accept(password), 'VALIDATION_FAILED', 'password');
    expectError(await instance.put('/auth/password', { password }, user.key), 'VALIDATION_FAILED', 'password');
  }
  expectError(await accept('breached-2026'), 'VALIDATION_FAILED', 'password');
  expect((await accept(PASSWORD)).status).toBe(201);
  expect(
    await instance.value('SELECT password_hash LIKE $2 AS value FROM users WHERE id = $1', [invited.id, '$argon2id$%']),
  ).toBe(true);
});

describe('a log-in', () => {
  test('by name or email address returns a token of a session with the rights of the role', async () => {
    const user = await instance.user();
    const credentials = await withPassword(instance, user);
    await instance.write('UPDATE users SET email = $2 WHERE id = $1', [user.userId, 'Writer@example.org']);
    const answer = await instance.post('/auth/login', credentials, null);
    expect(answer.headers.get('set-cookie')).toMatch(
      /^__Host-recollect_refresh=rcr_[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Strict$/,
    );
    const { access_token: token } = await logIn(instance, { ...credentials, login: 'writer@EXAMPLE.org' });
    expect(bodyOf(meSchema, await instance.get('/auth/me', token))).toMatchObject({
      user: { id: user.userId },
      scopes: ['capture', 'read', 'write'],
      credential: { kind: 'session', name: null },
      login: { password: true, totp: false },
    });
    expectError(await instance.get('/admin/users', token), 'FORBIDDEN');
    expect(await audited('POST /auth/login', user.userId)).toEqual([
      { status: 200, actor_id: user.userId },
      { status: 200, actor_id: user.userId },
    ]);
  });

  test(
    'is refused alike for an unknown name, a wrong password, no password, an inactive user and another tenant',
    async () => {
      const user = await instance.user();
      const credentials = await withPassword(instance, user);
      const inactive = await instance.user();
      const ended = await withPassword(instance, inactive);
      await instance.put(`/admin/users/${inactive.userId}`, { active: false });
      const none = bodyOf(meSchema, await instance.get('/auth/me', (await instance.user()).key)).user.username;
      const tries = [
        { ...credentials, login: 'unknown' },
        { ...credentials, password: 'wrong' },
        { ...credentials, login: none },
        { ...credentials, tenant: 'another' },
        ended,
      ];
      const answers: string[] = [];
      const times = tries.map(() => Infinity);
      /** Logs in by each once; stores the shortest time of each so far. */
      const round = async () => {
        await instance.write('DELETE FROM auth_attempts');
        for (const [n, given] of tries.entries()) {
          const started = performance.now();
          const { status, body } = await instance.post('/auth/login', given, null);
          times[n] = Math.min(times[n] ?? 0, performance.now() - started);
          answers.push(JSON.stringify({ status, body }).replace(/"request_id":"[^"]+"/, ''));
        }
      };
      // Each computes a hash, which takes far longer than the rest. On a busy machine the rest of one takes long at times, but not in each round.
      await untilTrue(
        async () => {
          await round();
          return Math.min(...times) > 0.25 * Math.max(...times);
        },
        BUSY_MS,
        async () => `refusals that take the same time: ${times.join(' ms, ')} ms`,
      );
      expect(new Set(answers).size).toBe(1);
      expect(answers[0]).toContain('"code":"INVALID_CREDENTIALS"');
      const refused = Array.from({ length: answers.length / tries.length }, () => ({ status: 401, actor_id: null }));
      expect(await audited('POST /auth/login', user.userId)).toEqual(refused);
    },
    2 * BUSY_MS,
  );

  test('of 60 wrong passwords at once in two processes tries 5, and then refuses the right one', async () => {
    const credentials = await withPassword(instance, await instance.user());
    const other = await withPassword(instance, await instance.user());
    const wrong = { ...credentials, password: 'wrong' };
    const locked = "bucket LIKE 'pair:%' AND locked_until > last_at + interval '1 second'";
    // Lengthened as soon as it begins: on a busy machine the requests may take longer than the lock.
    const lengthened = async (): Promise<number | undefined> => {
      const [lock] = await instance.write<{ seconds: number }>(
        `UPDATE auth_attempts SET locked_until = locked_until + interval '1 hour' WHERE ${locked}
         RETURNING round(extract(epoch FROM locked_until - last_at))::integer - 3600 AS seconds`,
      );
      return lock?.seconds;
    };
    const [seconds, ...statuses] = await Promise.all([
      until(lengthened),
      ...Array.from({ length: 60 }, (_, n) => logInFrom('127.0.0.1', n % 2 === 0 ? instance.url : second.url, wrong)),
    ]);
    expect(seconds).toBe(30);
    expect(statuses.filter((status) => status === 401)).toHaveLength(5);
    expect(statuses.filter((status) => status === 429)).toHaveLength(55);
    const refused = await instance.post('/auth/login', credentials, null);
    expectError(refused, 'RATE_LIMITED');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(20);
    // Others log in from the same address.
    await logIn(instance, other);
    await instance.write("UPDATE auth_attempts SET locked_until = now() - interval '1 second'");
    await logIn(instance, credentials);
  });

  test('from an address of earlier log-ins is not locked by guesses from other addresses', async () => {
    const credentials = await withPassword(instance, await instance.user());
    await logIn(instance, credentials);
    const guesses: (number | undefined)[] = [];
    for (let n = 2; n < 14; n += 1)
      guesses.push(await logInFrom(`127.0.0.${n}`, instance.url, { ...credentials, password: 'wrong' }));
    // The account is locked for unknown addresses.
    expect(guesses.filter((status) => status === 401)).toHaveLength(10);
    expect(await logInFrom('127.0.0.99', instance.url, credentials)).toBe(429);
    await logIn(instance, credentials);
  });
});

test('guesses do not reveal by their lock which names and addresses a user has', async () => {
  const user = await instance.user();
  const { login, tenant } = await withPassword(instance, user);
  await instance.write('UPDATE users SET email = $2 WHERE id = $1', [user.userId, 'known@example.org']);
  const lockedAfter = async (first: string, then: object) => {
    await instance.write('DELETE FROM auth_attempts');
    await instance.post('/auth/login', { login: first, password: 'wrong' }, null);
    await instance.write("UPDATE auth_attempts SET locked_until = now() + interval '30 s' WHERE bucket LIKE 'pair:%'");
    return (await instance.post('/auth/login', { ...then, password: 'wrong' }, null)).status;
  };
  for (const [name, email] of [
    [login, 'known@example.org'],
    ['unknown', 'unknown@example.org'],
  ] as const) {
    expect([name, await lockedAfter(name, { login: name.toUpperCase(), tenant })]).toEqual([name, 429]);
    expect([name, await lockedAfter(name, { login: email })]).toEqual([name, 401]);
  }
});

test('guesses from a locked address store nothing', async () => {
  await instance.post('/auth/login', { login: 'unknown', password: 'wrong' }, null);
  await instance.write(
    "UPDATE auth_attempts SET failures = 20, locked_until = now() + interval '30 seconds' WHERE bucket LIKE 'address:%'",
  );
  const before = await instance.count('auth_attempts');
  expectError(await instance.post('/auth/login', { login: 'another', password: 'wrong' }, null), 'RATE_LIMITED');
  expect(await instance.count('auth_attempts')).toBe(before);
});

test('a log-in that cannot be recorded hands out no session', async () => {
  const { userId, key } = await instance.user();
  const credentials = await withPassword(instance, { key });
  await instance.db.superuser.query('ALTER TABLE audit_heads RENAME TO audit_heads_elsewhere');
  try {
    const answer = await instance.post('/auth/login', credentials, null);
    expectError(answer, 'STORAGE_UNAVAILABLE');
    expect(answer.headers.get('set-cookie')).toBeNull();
  } finally {
    await instance.db.superuser.query('ALTER TABLE audit_heads_elsewhere RENAME TO audit_heads');
  }
  expect(await instance.rows('SELECT end_reason FROM user_sessions WHERE user_id = $1', [userId])).toEqual([
    { end_reason: 'ended' },
  ]);
});

describe('an access token', () => {
  test('that was forged is refused', async () => {
    const user = await instance.user();
    const { access_token: token } = await logIn(instance, await withPassword(instance, user));
    const { kid = '' } = decodeProtectedHeader(token);
    const claims = decodeJwt(token);
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const signed = (header: object, payload: object = claims) =>
      new SignJWT({ ...payload }).setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid, ...header }).sign(privateKey);
    const [head = '', body = '', signature = ''] = token.split('.');
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const forged = [
      `${encode({ alg: 'none', typ: 'at+jwt', kid })}.${body}.x`,
      `${head}.${encode({ ...claims, role: 'admin' })}.${signature}`,
      `${head}.${encode({ ...claims, exp: 9_999_999_999 })}.${signature}`,
      await signed({}),
      await signed({ jwk: await exportJWK(publicKey) }),
      await signed({ kid: 'unknown' }),
      await new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid })
        .sign(publicKey.export({ format: 'der', type: 'spki' })),
    ];
    for (const each of forged) expectError(await instance.get('/auth/me', each), 'INVALID_TOKEN');
    expect((await instance.get('/auth/me', token)).status).toBe(200);
  });

  test.each([
    [
      'its session was ended',
      async (_userId: string, id: string, key: string) => instance.delete(`/auth/sessions/${id}`, key),
    ],
    ['its user was deactivated', async (userId: string) => instance.put(`/admin/users/${userId}`, { active: false })],
    [
      'the role of its user changed',
      async (userId: string) => instance.put(`/admin/users/${userId}`, { role: 'viewer' }),
    ],
    [
      'the password of its user changed',
      async (_userId: string, _id: string, key: string) =>
        instance.put('/auth/password', { current_password: PASSWORD, password: 'another long password' }, key),
    ],
  ])('is refused by another process before its cache ends after %s', async (_what, change) => {
    const { userId, key } = await instance.user();
    const { access_token: token, session_id: id } = await logIn(instance, await withPassword(instance, { key }));
    expect(await there('/auth/me', token)).toBe(200);
    expect((await change(userId, id, key)).status).toBe(200);
    await expect.poll(() => there('/auth/me', token), WITHIN_CACHE_TIME).toBe(401);
  });
});

describe('a refresh token', () => {
  test('that is used 20 times at once in two processes gets one successor, and a later use ends the session', async () => {
    const { userId, key } = await instance.user();
    const session = await logIn(instance, await withPassword(instance, { key }));
    const { cookie, access_token: token, session_id: id } = session;
    const countedSince = await countRefreshes(instance);
    // On a busy machine they may take longer than the ten seconds in which the answer is repeated: as if the first were later.
    const postponed = async () => {
      const sql =
        "UPDATE refresh_tokens SET used_at = used_at + interval '1 hour' WHERE session_id = $1 AND used_at IS NOT NULL RETURNING 1";
      return (await instance.write(sql, [id])).length || undefined;
    };
    const [answers] = await Promise.all([
      Promise.all(Array.from({ length: 20 }, (_, n) => refreshAt(n % 2 === 0 ? instance.url : second.url, cookie))),
      until(postponed),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const successors = new Set(answers.map(cookieOf));
    expect(successors.size).toBe(1);
    const [successor = ''] = successors;
    expect(successor).not.toBe(cookie);
    const { status, headers } = await refreshAt(second.url, successor);
    expect(status).toBe(200);
    // The answer with the successor arrived: the old token is in other hands.
    expect((await refreshAt(instance.url, cookie)).status).toBe(401);
    expect((await refreshAt(instance.url, cookieOf({ headers }))).status).toBe(401);
    await expect.poll(() => there('/auth/me', token), WITHIN_CACHE_TIME).toBe(401);
    expect(await audited('POST /auth/refresh', userId)).toEqual([{ status: 401, actor_id: null }]);
    // Ten of the twenty requests, of which the first of all rotates.
    const { rotated = 0, repeated = 0, ...others } = await countedSince();
    expect([rotated <= 1, rotated + repeated, others]).toEqual([true, 10, { reused: 1, refused: 1 }]);
  });

  test('is repeated within ten seconds, and not after', async () => {
    const { cookie } = await logIn(instance, await withPassword(instance, await instance.user()));
    for (let n = 0; n < 2; n += 1) expect((await refreshAt(instance.url, cookie)).status).toBe(200);
    await instance.write("UPDATE refresh_tokens SET used_at = used_at - interval '11 seconds'");
    expect((await refreshAt(instance.url, cookie)).status).toBe(401);
  });

  test('is refused for other origins, and unknown ones are', async () => {
    const { cookie } = await logIn(instance, await withPassword(instance, await instance.user()));
    const own = new URL(instance.url).origin;
    for (const headers of [
      { origin: 'https://example.org' },
      { origin: 'null' },
      { origin: `${own}0` },
      { origin: own, 'sec-fetch-site': 'cross-site' },
    ])
      expect([headers, (await refreshAt(instance.url, cookie, headers)).status]).toEqual([headers, 403]);
    expect((await refreshAt(instance.url, `__Host-recollect_refresh=rcr_${'x'.repeat(43)}`)).status).toBe(401);
    expect((await refreshAt(instance.url, cookie, { origin: own, 'sec-fetch-site': 'same-origin' })).status).toBe(200);
  });
});

describe('sessions', () => {
  test('are new at each log-in and password change, whatever the request contains', async () => {
    const { key } = await instance.user();
    const credentials = await withPassword(instance, { key });
    const planted = `__Host-recollect_refresh=rcr_${'p'.repeat(43)}`;
    const first = await instance.call('POST', '/auth/login', {
      key: null,
      body: credentials,
      headers: { cookie: planted },
    });
    expect(cookieOf(first)).not.toBe(planted);
    const one = await logIn(instance, credentials);
    const two = await logIn(instance, credentials);
    const change = { current_password: PASSWORD, password: 'another long password' };
    const changed = await instance.put('/auth/password', change, two.access_token);
    expect(changed).toMatchObject({ status: 200, body: { token: { session_id: expect.any(String) } } });
    expect(JSON.stringify(changed.body)).not.toContain(two.session_id);
    for (const { access_token: token, cookie } of [one, two]) {
      await expectEnded(instance, token);
      expect((await refreshAt(instance.url, cookie)).status).toBe(401);
    }
    expect((await refreshAt(instance.url, cookieOf(changed))).status).toBe(200);
  });

  test('are listed and ended by their user only', async () => {
    const { key } = await instance.user();
    const credentials = await withPassword(instance, { key });
    const one = await logIn(instance, credentials);
    const two = await logIn(instance, credentials);
    const list = bodyOf(userSessionList, await instance.get('/auth/sessions', two.access_token)).data;
    expect(list.map(({ id, is_current: isCurrent, address }) => [id, isCurrent, address])).toEqual([
      [two.session_id, true, '127.0.0.1'],
      [one.session_id, false, '127.0.0.1'],
    ]);
    expectError(await instance.delete(`/auth/sessions/${one.session_id}`), 'NOT_FOUND', 'id');
    expect((await instance.delete('/auth/sessions', two.access_token)).body).toEqual({ ended: 1 });
    await expectEnded(instance, one.access_token);
    const out = await instance.call('POST', '/auth/logout', { key: null, headers: { cookie: two.cookie } });
    expect([out.body, out.headers.get('set-cookie')]).toEqual([
      { ended: 1 },
      expect.stringContaining('Expires=Thu, 01 Jan 1970'),
    ]);
    await expectEnded(instance, two.access_token);
  });

  test('and the password are not managed by the keys of agents', async () => {
    const { key } = await instance.user({ scopes: ['read', 'write'] });
    expectError(await instance.get('/auth/sessions', key), 'FORBIDDEN');
    expectError(await instance.put('/auth/password', { password: PASSWORD }, key), 'FORBIDDEN');
  });
});

test('a password has 12 to 1,024 characters, and a change needs the current one', async () => {
  const { key } = await instance.user();
  for (const password of ['x'.repeat(11), 'x'.repeat(1_025)])
    expectError(await instance.put('/auth/password', { password }, key), 'VALIDATION_FAILED', 'password');
  await withPassword(instance, { key });
  expectError(
    await instance.put('/auth/password', { password: 'another password' }, key),
    'VALIDATION_FAILED',
    'current_password',
  );
  const wrong = { current_password: 'wrong', password: 'another password' };
  expectError(await instance.put('/auth/password', wrong, key), 'INVALID_CREDENTIALS');
});
