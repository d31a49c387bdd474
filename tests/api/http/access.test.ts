import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { searchAnswer } from '../../../contract/search.ts';
import type { TestUser } from '../../setup/database.ts';
import { until, untilTrue } from '../../setup/until.ts';
import { WITHIN_CACHE_TIME } from '../support/access.ts';
import { errorOf, expectError, writingNothing } from '../support/answers.ts';
import { indexed } from '../support/indexed.ts';
import { callRoute, routesOf } from '../support/route-rights.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { noteEvent } from '../support/events.ts';

const instance = fileInstance({ RECOLLECT_SCRAPE_TOKEN: 'a-token-for-scraping' });

const admin = (options: Parameters<typeof instance.user>[0] = {}) => instance.user({ role: 'admin', ...options });

async function revoked({ key, userId }: TestUser): Promise<string> {
  await instance.write('UPDATE api_keys SET revoked_at = now() WHERE user_id = $1', [userId]);
  return key;
}

async function inactive({ key, userId }: TestUser): Promise<string> {
  await instance.write('UPDATE users SET active = false WHERE id = $1', [userId]);
  return key;
}

/** Sends a request to every route that needs a key, one after the other. Returns the codes of the responses. */
const codesOfAllRoutes = (key: string | null): Promise<string[]> =>
  writingNothing(instance, async () => {
    const codes = new Set<string>();
    for (const route of routesOf(instance).filter(({ access }) => access !== 'open'))
      codes.add(errorOf(await callRoute(instance, route, key)).code);
    return [...codes];
  });

describe('a request is refused by every route, and nothing is written', () => {
  test('without a key', async () => {
    expect(await codesOfAllRoutes(null)).toEqual(['UNAUTHENTICATED']);
  });

  test.each<[string, () => Promise<string>]>([
    ['wrong', () => Promise.resolve(`rcl_${randomUUID()}`)],
    ['expired', async () => (await admin({ expiresAt: new Date(Date.now() - 1_000) })).key],
    ['revoked', () => admin().then(revoked)],
    ["an inactive user's", () => admin().then(inactive)],
    ['the SHA-256 of one', () => instance.text("SELECT encode(key_sha256, 'hex') AS value FROM api_keys LIMIT 1")],
  ])('with a key that is %s', async (_what, make) => {
    expect(await codesOfAllRoutes(await make())).toEqual(['INVALID_API_KEY']);
  });

  test.each([
    'Basic dXNlcjpwYXNz',
    'Bearer',
    'Bearer ',
    'Bearer short',
    `Bearer ${'x'.repeat(2_049)}`,
    'Bearer two words',
    'token',
  ])('with the header %j', async (authorization) => {
    expectError(await instance.call('GET', '/sessions', { key: null, headers: { authorization } }), 'UNAUTHENTICATED');
  });

  test('in the address a key counts for nothing', async () => {
    expectError(
      await instance.get(`/sessions?key=${instance.admin.key}&api_key=${instance.admin.key}`, null),
      'UNAUTHENTICATED',
    );
  });

  test('a caller without the right is rejected before the body is checked', async () => {
    const { key } = await instance.user({ scopes: ['read'] });
    expectError(await instance.call('POST', '/events', { key, raw: '{no json' }), 'FORBIDDEN');
    expectError(await instance.call('POST', '/events', { key: null, raw: '{no json' }), 'UNAUTHENTICATED');
  });
});

describe('a key that is revoked', () => {
  test('stops before a cache ends', async () => {
    const user = await instance.stranger();
    const { key } = user;
    expect((await instance.get('/sessions', key)).status).toBe(200);
    await revoked(user);
    const answer = await until(async () => {
      const answer = await instance.get('/sessions', key);
      return answer.status === 200 ? undefined : answer;
    }, WITHIN_CACHE_TIME.timeout);
    expectError(answer, 'INVALID_API_KEY');
  });
});

describe('/metrics', () => {
  test('is for operators and for the scrape token, not for others whatever their scopes', async () => {
    expect((await instance.get('/metrics')).status).toBe(200);
    const scraped = await instance.get('/metrics', 'a-token-for-scraping');
    expect(scraped.status).toBe(200);
    expect(scraped.body).toMatch(/^recollect_http_requests_total\{/m);
    for (const { key } of [await instance.user(), await instance.stranger({ role: 'admin' })])
      expectError(await instance.get('/metrics', key), 'FORBIDDEN');
    expectError(await instance.get('/metrics', 'a-token-for-guessing'), 'INVALID_API_KEY');
    expectError(await instance.get('/sessions', 'a-token-for-scraping'), 'INVALID_API_KEY');
  });
});

describe('what belongs to others', () => {
  let colleague: TestUser;
  let stranger: TestUser;

  beforeAll(async () => {
    colleague = await instance.user();
    stranger = await instance.stranger({ role: 'admin' });
    await instance.post('/events', noteEvent('private', 'The colleague hides a walrus'), colleague.key);
    await instance.post('/events', noteEvent('foreign', 'The stranger hides a walrus'), stranger.key);
    await instance.startWorker();
    await indexed(instance);
  });

  async function found(key: string, query = ''): Promise<string[]> {
    const answer = searchAnswer.parse((await instance.get(`/search?q=walrus${query}`, key)).body);
    expect(answer.degraded).toEqual([]);
    return answer.data.map((memory) => memory.content);
  }

  test("a session of another tenant is not there, by its id, by its host's id and in lists", async () => {
    const id = await instance.value<string>("SELECT id AS value FROM sessions WHERE external_id = 'foreign'");
    for (const path of [
      `/sessions/${id}`,
      '/sessions/test:foreign',
      '/sessions/foreign',
      `/sessions/${id}/summaries`,
    ]) {
      expectError(await instance.get(path), 'NOT_FOUND');
      expect([path, (await instance.get(path, stranger.key)).status]).toEqual([path, 200]);
    }
    expect((await instance.get('/sessions')).body).toMatchObject({
      data: [{ external_id: 'private' }],
      pagination: { total: 1 },
    });
    expect((await instance.get(`/learnings?session=${id}`)).body).toMatchObject({ data: [] });
  });

  test("a search shows private memories to their owner and to admins of the tenant, and never another tenant's", async () => {
    const { key } = await instance.user();
    expect(await found(colleague.key)).toEqual(['The colleague hides a walrus']);
    expect(await found(instance.admin.key)).toEqual(['The colleague hides a walrus']);
    expect(await found(stranger.key)).toEqual(['The stranger hides a walrus']);
    expect(await found(key)).toEqual([]);
    expect(await found(key, `&type=observation&namespace=default`)).toEqual([]);
  });

  test("events for a session of another tenant's id make an own session", async () => {
    const answer = await instance.post('/events', noteEvent('foreign', 'mine now'));
    expect(answer.status).toBe(202);
    expect(
      await instance.value(
        "SELECT count(DISTINCT tenant_id)::integer AS value FROM sessions WHERE external_id = 'foreign'",
      ),
    ).toBe(2);
  });
});

test('reads a known key again after a connection to PostgreSQL was closed: another database may have replaced it', async () => {
  // Believed without asking, it would open the door for five seconds from its first use on; on a busy machine the steps may take longer, too.
  await untilTrue(
    async () => {
      const { key, userId } = await instance.stranger({ role: 'admin' });
      const started = performance.now();
      expect((await instance.get('/sessions', key)).status).toBe(200);
      // As in the database that a restore swaps in: without a notification.
      await instance.db.superuser.query(
        `BEGIN; SET LOCAL session_replication_role = replica; UPDATE api_keys SET revoked_at = now() WHERE user_id = '${userId}'; COMMIT`,
      );
      await instance.db.database.pool.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'recollect-api'",
      );
      await untilTrue(async () => (await instance.get('/sessions', key)).status === 401);
      return performance.now() - started < 5_000;
    },
    60_000,
    'a refusal within five seconds',
  );
});
