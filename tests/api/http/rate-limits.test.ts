import { describe, expect, test } from 'vitest';
import { createApiDependencies } from '../../../api/dependencies.ts';
import { RateLeases } from '../../../api/http/rate-leases.ts';
import type { RateVerdict } from '../../../api/http/rate-leases.ts';
import { createServer } from '../../../api/server.ts';
import { drawRate } from '../../../stores/postgres/access/rate-limits.ts';
import type { RateLimit } from '../../../stores/postgres/access/rate-limits.ts';
import { sweepOld } from '../../../stores/postgres/retention/retention.ts';
import { createLogger } from '../../../telemetry/logger.ts';
import { fileDatabase } from '../../setup/database.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { until, untilTrue } from '../../setup/until.ts';
import { expectError } from '../support/answers.ts';
import { noteEvent } from '../support/events.ts';

const READS = 6;
const LOOKUPS = 40;

describe('limits of requests', () => {
  const instance = fileInstance({
    RECOLLECT_RATE_READ: String(READS),
    RECOLLECT_RATE_UNKNOWN_KEYS: String(LOOKUPS),
    RECOLLECT_RATE_LOGIN_STARTS: '2',
    RECOLLECT_PUBLIC_URL: 'https://memory.example.org',
    RECOLLECT_OAUTH: 'true',
    RECOLLECT_TRUST_PROXY: '127.0.0.1/32',
  });

  test('an address starts a limited number of log-ins, and refused ones store nothing', async () => {
    const start = async (address: string) => {
      const headers = { 'x-forwarded-for': address };
      return (await instance.call('POST', '/auth/passkeys/options', { key: null, headers })).status;
    };
    expect([await start('192.0.2.7'), await start('192.0.2.7'), await start('192.0.2.7')]).toEqual([200, 200, 429]);
    expect(await start('192.0.2.8')).toBe(200);
    expect(await instance.count('auth_challenges')).toBe(3);
    const authorize = `${instance.url}/oauth/auth?client_id=unknown`;
    expect((await fetch(authorize, { headers: { 'x-forwarded-for': '192.0.2.7' } })).status).toBe(429);
  });

  test('a user’s reads are limited over all keys; captures, writes and other users are not', async () => {
    const { key, userId } = await instance.user();
    const second = await instance.db.createUser({ tenantId: instance.admin.tenantId });
    await instance.write('UPDATE api_keys SET user_id = $1 WHERE user_id = $2', [userId, second.userId]);
    const answers = [];
    for (let n = 0; n < READS; n += 1) answers.push(await instance.get('/projects', n % 2 === 0 ? key : second.key));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: READS }, () => 200));
    expect(answers.map(({ headers }) => headers.get('ratelimit-policy'))).toEqual(
      Array.from({ length: READS }, () => `"read";q=${READS};w=60`),
    );
    expect(answers.map(({ headers }) => /;r=(\d+);t=\d+$/.exec(headers.get('ratelimit') ?? '')?.[1])).toEqual([
      '5',
      '4',
      '3',
      '2',
      '1',
      '0',
    ]);
    for (const refused of [await instance.get('/projects', key), await instance.get('/learnings', second.key)]) {
      expectError(refused, 'RATE_LIMITED');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(refused.headers.get('ratelimit')).toMatch(/^"read";r=0;t=\d+$/);
    }
    expect((await instance.post('/events', noteEvent('limited', 'Still captured', { key: 'k' }), key)).status).toBe(
      202,
    );
    expect((await instance.post('/memories', { content: 'Still written' }, key)).status).toBe(201);
    expect((await instance.get('/projects', (await instance.user()).key)).status).toBe(200);
    expect(String((await instance.get('/metrics')).body)).toMatch(/recollect_rate_limited_total\{class="read"\} [2-9]/);
  });

  test('an address that sends unknown keys is refused before they are looked up; known keys and other addresses are not', async () => {
    const { key } = await instance.user();
    const from = (address: string, given: string) =>
      instance.call('GET', '/usage', { key: given, headers: { 'x-forwarded-for': address } });
    expect((await from('2001:db8:1:2::9', key)).status).toBe(200);
    const guesses = await Promise.all(
      Array.from({ length: 2 * LOOKUPS }, (_, n) => from(`2001:db8:1:2::${n.toString(16)}`, `rcl_guess_${n}`)),
    );
    const refused = guesses.filter(({ status }) => status === 429);
    expect(guesses.filter(({ status }) => status === 401)).toHaveLength(LOOKUPS);
    expect(refused).toHaveLength(LOOKUPS);
    refused.forEach((answer) => expectError(answer, 'RATE_LIMITED'));
    expect((await from('2001:db8:1:2::9', key)).status).toBe(200);
    // A change of access: every key is looked up again.
    await instance.write("SELECT pg_notify('access_changed', '')");
    expect((await from('2001:db8:1:2::9', key)).status).toBe(200);
    expect((await from('2001:db8:1:3::9', 'rcl_guess_other')).status).toBe(401);
    expect((await from('192.0.2.7', 'rcl_guess_other')).status).toBe(401);
    const stored = await instance.rows<{ bucket: string }>(
      "SELECT bucket FROM rate_limits WHERE bucket LIKE 'address:%'",
    );
    expect(stored.length).toBeGreaterThan(2);
    expect(JSON.stringify(stored)).not.toMatch(/2001|192\.0/);
  });

  test('a key may have a lower quota of its own, which does not count captures', async () => {
    const { key, userId } = await instance.user();
    await instance.write('UPDATE api_keys SET requests_per_minute = 2 WHERE user_id = $1', [userId]);
    const statuses = [];
    for (let n = 0; n < 3; n += 1) statuses.push((await instance.get('/projects', key)).status);
    expect(statuses).toEqual([200, 200, 429]);
    expectError(await instance.post('/memories', { content: 'Not written' }, key), 'RATE_LIMITED');
    expect((await instance.post('/events', noteEvent('key', 'Captured', { key: 'k' }), key)).status).toBe(202);
  });

  test('tokens of invites are guessed as rarely as keys', async () => {
    const token = `rci_${'x'.repeat(43)}`;
    const guess = () =>
      instance.call('POST', '/auth/invites/accept', {
        key: null,
        body: { token },
        headers: { 'x-forwarded-for': '192.0.2.99' },
      });
    const statuses = (await Promise.all(Array.from({ length: 2 * LOOKUPS }, guess))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 429)).toHaveLength(LOOKUPS);
  });

  test('two processes share a quota', async () => {
    const logger = createLogger('test', 'error');
    const dependencies = createApiDependencies(instance.config, logger);
    const second = await createServer({ dependencies, logger, isStopping: () => false });
    try {
      const { key } = await instance.user();
      const headers = { authorization: `Bearer ${key}` };
      const statuses = await Promise.all(
        Array.from({ length: 4 * READS }, async (_, n) =>
          n % 2 === 0
            ? (await instance.get('/projects', key)).status
            : (await second.inject({ url: '/api/v1/projects', headers })).statusCode,
        ),
      );
      expect(statuses.filter((status) => status === 200)).toHaveLength(READS);
      expect(statuses.filter((status) => status === 429)).toHaveLength(3 * READS);
    } finally {
      await second.close();
      await dependencies.close();
    }
  });
});

describe('leases', () => {
  const db = fileDatabase();
  const limit: RateLimit = { quota: 600, windowS: 60 };
  const fails = (error: unknown) => {
    throw error;
  };
  const granted = (verdicts: readonly RateVerdict[]) => verdicts.filter(({ isGranted }) => isGranted).length;

  test('3,200 requests to two processes are granted 600 times, with 40 statements at most', async () => {
    let statements = 0;
    const processes = Array.from(
      { length: 2 },
      () =>
        new RateLeases((bucket, want, of) => {
          statements += 1;
          return drawRate(db.database.pool, bucket, want, of);
        }, fails),
    );
    const verdicts = await Promise.all(
      processes.flatMap((each) => Array.from({ length: 1_600 }, async () => each.take('many', limit))),
    );
    expect(granted(verdicts)).toBe(600);
    expect(statements).toBeLessThanOrEqual(40);
  });

  test('a new window grants again; the daily sweep deletes ended buckets', async () => {
    await drawRate(db.database.pool, 'ended', 1, { quota: 1, windowS: 0 });
    const leases = new RateLeases((...given) => drawRate(db.database.pool, ...given), fails);
    const short: RateLimit = { quota: 2, windowS: 1 };
    let tries = 0;
    // On a busy machine a window may end before the third: another one is started.
    const bucket = await until(async () => {
      tries += 1;
      const name = `short-${tries}`;
      const began = performance.now();
      const first = [await leases.take(name, short), await leases.take(name, short), await leases.take(name, short)];
      if (performance.now() - began > 1_000 * short.windowS) return undefined;
      expect(first.map(({ isGranted }) => isGranted)).toEqual([true, true, false]);
      return name;
    });
    await untilTrue(async () => (await leases.take(bucket, short)).isGranted);
    expect((await sweepOld(db.maintenance)).get('rate_limits')).toBeGreaterThan(0);
    expect(await db.count("rate_limits WHERE bucket = 'ended'")).toBe(0);
  });

  test('a lowered quota refuses at once and takes nothing back', async () => {
    const drawn = await drawRate(db.database.pool, 'lowered', 50, { quota: 100, windowS: 60 });
    expect(drawn).toMatchObject({ granted: 50, remaining: 50 });
    const lower = await drawRate(db.database.pool, 'lowered', 5, { quota: 10, windowS: 60 });
    expect(lower).toMatchObject({ granted: 0, remaining: 0 });
    const higher = await drawRate(db.database.pool, 'lowered', 5, { quota: 100, windowS: 60 });
    expect(higher).toMatchObject({ granted: 5, remaining: 45 });
  });

  test('without the store each process grants the quota by itself', async () => {
    const failures: unknown[] = [];
    const lost = new Error('the store is unavailable');
    const leases = new RateLeases(
      () => Promise.reject(lost),
      (error) => failures.push(error),
    );
    const verdicts = [];
    for (let n = 0; n < 5; n += 1) verdicts.push(await leases.take('lost', { quota: 3, windowS: 60 }));
    expect(granted(verdicts)).toBe(3);
    expect(failures).toEqual([lost]);
  });

  test('the application’s role reaches quotas through the function alone', async () => {
    await expect(db.database.pool.query('SELECT * FROM rate_limits')).rejects.toMatchObject({ code: '42501' });
  });
});
