import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createNetServer } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createApiDependencies } from '../../../api/dependencies.ts';
import { createServer } from '../../../api/server.ts';
import { parseConfig } from '../../../config/config.ts';
import { scheduleSchema } from '../../../contract/jobs.ts';
import { dataOf } from '../../../contract/shared.ts';
import { newId } from '../../../domain/ids.ts';
import { createLogger } from '../../../telemetry/logger.ts';
import { agedId } from '../../setup/aged-id.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { scraped } from '../../setup/scraped.ts';
import { until, untilTrue } from '../../setup/until.ts';
import { startSilentProxy } from '../../stores/postgres/support/silent-proxy.ts';
import { inTime } from '../support/answers.ts';
import { closedPort } from '../support/closed-port.ts';
import { promptEvent } from '../support/events.ts';
import { withPassword } from '../support/log-in.ts';

const TOKEN = 'a-token-for-scraping';
/** A scrape without PostgreSQL; the target is in docs/operations.md. */
const AWAY_MS = 200;
const instance = fileInstance({ RECOLLECT_SCRAPE_TOKEN: TOKEN }, ['capture-sweep', 'statistics']);
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** Starts the api with another database; `inject` sends a request without a network. */
async function apiOn(databaseUrl: string) {
  const config = parseConfig({ ...instance.environment, RECOLLECT_DATABASE_URL: databaseUrl });
  const logger = createLogger('test', 'fatal');
  const dependencies = createApiDependencies(config, logger);
  const server = await createServer({ dependencies, logger, isStopping: () => false });
  closers.push(async () => {
    await server.close();
    await dependencies.close();
  });
  return server;
}

type Server = Awaited<ReturnType<typeof apiOn>>;

async function scrape(server: Server): Promise<{ readonly text: string; readonly ms: number }> {
  const started = performance.now();
  const answer = await server.inject({ url: '/metrics', headers: { authorization: `Bearer ${TOKEN}` } });
  expect(answer.statusCode).toBe(200);
  return { text: answer.body, ms: performance.now() - started };
}

/** Expects that a scrape without PostgreSQL waits for nothing: the fastest of some, since on a busy machine any may take long. */
async function expectInTime(server: Server): Promise<void> {
  await expect.poll(async () => (await scrape(server)).ms).toBeLessThan(AWAY_MS);
}

/** Returns the names and labels of the series of Recollect and Node in a scrape. */
function seriesOf(text: string): string[] {
  return [...text.matchAll(/^([a-z]\w*(?:\{.*\})?) \S+$/gm)].map(([, name = '']) => name).sort();
}

/** Starts a server that accepts connections and never responds; returns its port. */
async function silentPort(): Promise<number> {
  const sockets: Socket[] = [];
  const server = createNetServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.unshift(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
}

describe('a scrape without PostgreSQL', () => {
  test.each([
    ['refuses connections', closedPort],
    ['does not respond', silentPort],
  ])('is answered in time where it %s, and reports it', async (_what, port) => {
    const server = await apiOn(`postgresql://recollect_app:x@127.0.0.1:${await port()}/none`);
    await scrape(server);
    await expectInTime(server);
    const { text } = await until(async () => {
      const scraped = await scrape(server);
      return /^recollect_dependency_up\{dependency="postgres"\} 0$/m.test(scraped.text) ? scraped : undefined;
    });
    // Unknown is not 0.
    expect(text).not.toMatch(/^recollect_unfindable_rows /m);
    expect(text).toMatch(/^recollect_http_requests_total\{group="metrics",status="2xx"\} [1-9]/m);
  });

  test('has the last figures', async () => {
    const proxy = await startSilentProxy(instance.db.url('app'));
    closers.push(() => proxy.close());
    const server = await apiOn(proxy.url);
    await until(async () => /^recollect_unfindable_rows 0$/m.exec((await scrape(server)).text) ?? undefined);
    proxy.fallSilent();
    await expectInTime(server);
    for (let n = 0; n < 3; n += 1) expect((await scrape(server)).text).toMatch(/^recollect_unfindable_rows 0$/m);
  });
});

describe('figures of the instance', () => {
  let sessionId: string;

  beforeAll(async () => {
    await captured(instance, smallSession('unconsumed').slice(0, 3));
    sessionId = await instance.text("SELECT id::text AS value FROM sessions WHERE external_id = 'unconsumed'");
  });

  test('count unconsumed rows; they are unfindable after five minutes', async () => {
    const { input } = await scraped(instance, /^recollect_unconsumed_rows 3$/m);
    expect(input).toMatch(/^recollect_unfindable_rows 0$/m);
    const aged = performance.now();
    await instance.db.superuser.query(
      `UPDATE capture_keys SET row_id = ${agedId('row_id', 360)} WHERE session_id = $1 AND seq = 1`,
      [sessionId],
    );
    await scraped(instance, /^recollect_unfindable_rows 3$/m);
    const [, age] = await scraped(instance, /^recollect_unconsumed_oldest_age_seconds (\S+)$/m);
    expect(Number(age)).toBeGreaterThanOrEqual(360);
    expect(Number(age)).toBeLessThan(361 + (performance.now() - aged) / 1_000);
    await instance.db.superuser.query('UPDATE sessions SET consumed_seq = last_seq WHERE id = $1', [sessionId]);
    await scraped(instance, /^recollect_unfindable_rows 0$/m);
    await scraped(instance, /^recollect_unconsumed_oldest_age_seconds 0$/m);
  });

  test('count sessions, windows and chunks by state', async () => {
    await instance.write(
      `INSERT INTO windows (session_id, n, tenant_id, from_seq, to_seq, tokens, reason, state) VALUES ($1, 1, $2, 1, 2, 3, 'tokens', 'parked')`,
      [sessionId, instance.admin.tenantId],
    );
    await instance.write(
      `INSERT INTO embeddings (id, tenant_id, session_id, resource_type, resource_id, chunk, model, dimension, content_hash, state, object_id)
       SELECT gen_random_uuid(), $1, $2, 'prompt', gen_random_uuid(), 0, 'm', 3, '', state, gen_random_uuid() FROM unnest(ARRAY['pending', 'pending', 'failed', 'withheld', 'indexed']) AS state`,
      [instance.admin.tenantId, sessionId],
    );
    await scraped(instance, /^recollect_windows\{state="parked"\} 1$/m);
    await scraped(instance, /^recollect_vectors\{state="pending"\} 2$/m);
    await scraped(instance, /^recollect_vectors\{state="failed"\} 1$/m);
    const { input } = await scraped(instance, /^recollect_sessions_in_progress\{phase="active"\} 1$/m);
    expect(input).toMatch(/^recollect_database_size_bytes [1-9]/m);
    expect(input).toMatch(/^recollect_rows_estimate\{table="observations"\} \d/m);
  });

  test('have the largest share of a user’s daily tokens, and a fault of the audit log', async () => {
    const { input } = await scraped(instance, /^recollect_budget_used_ratio 0$/m);
    expect(input).toMatch(/^recollect_audit_verified 1$/m);
    await instance.write(
      `UPDATE users SET daily_token_quota = 200, tokens_used_today = 150, tokens_used_on = (now() AT TIME ZONE 'UTC')::date WHERE id = $1`,
      [instance.admin.userId],
    );
    await instance.write(
      `INSERT INTO system_alerts (id, tenant_id, user_id, type, day, details) VALUES ($1, $2, $3, 'audit_log_fault', now(), '{}')`,
      [newId(), instance.admin.tenantId, instance.admin.userId],
    );
    await scraped(instance, /^recollect_budget_used_ratio 0\.75$/m);
    await scraped(instance, /^recollect_audit_verified 0$/m);
  });

  test('name every schedule with its interval and, before a run, its creation; a paused one has no interval', async () => {
    await instance.post('/schedules/statistics/pause', { reason: 'test' });
    // The server's scheduler reads it a moment later, and the api reads schedules once a minute.
    await untilTrue(async () => {
      const { data } = dataOf(scheduleSchema).parse((await inTime(() => instance.get('/schedules'))).body);
      return data.some(({ name, state }) => name === 'statistics' && state === 'paused');
    });
    const api = await apiOn(instance.db.url('app'));
    const text = await until(async () => {
      const { text } = await scrape(api);
      return text.includes('recollect_schedule_last_success_timestamp_seconds{') ? text : undefined;
    });
    const successOf = (name: string) =>
      Number(
        new RegExp(`recollect_schedule_last_success_timestamp_seconds\\{schedule="${name}"\\} (\\S+)`).exec(text)?.[1],
      );
    for (const name of ['capture-sweep', 'statistics'])
      expect(Math.abs(Date.now() / 1_000 - successOf(name))).toBeLessThan(600);
    expect(text).toMatch(/^recollect_schedule_interval_seconds\{schedule="capture-sweep"\} 60$/m);
    expect(text).not.toContain('recollect_schedule_interval_seconds{schedule="statistics"}');
  });
});

test('attempts to log in are counted by result, and failed captures by event', async () => {
  const { login, password } = await withPassword(instance, await instance.user());
  expect((await instance.post('/auth/login', { login, password }, null)).status).toBe(200);
  expect((await instance.post('/auth/login', { login, password: 'a wrong password' }, null)).status).toBe(401);
  await scraped(instance, /^recollect_auth_attempts_total\{result="accepted"\} 1$/m);
  await scraped(instance, /^recollect_auth_attempts_total\{result="refused"\} 1$/m);
  await instance.db.owner.query('ALTER FUNCTION capture_events RENAME TO capture_events_away');
  try {
    expect((await instance.post('/events', promptEvent('failing', 'x'))).status).toBe(500);
  } finally {
    await instance.db.owner.query('ALTER FUNCTION capture_events_away RENAME TO capture_events');
  }
  await scraped(instance, /^recollect_capture_events_total\{outcome="failed"\} 1$/m);
});

describe('series', () => {
  test('of counters with closed lists are 0 from the start', async () => {
    const { text } = await scrape(await apiOn(instance.db.url('app')));
    for (const series of [
      'recollect_capture_events_total{outcome="failed"}',
      'recollect_http_requests_total{group="hooks",status="5xx"}',
      'recollect_http_requests_total{group="events",status="2xx"}',
      'recollect_http_requests_total{group="viewer",status="2xx"}',
      'recollect_searches_total{degraded="vector,keyword,rerank"}',
      'recollect_rate_limited_total{class="loginStarts"}',
      'recollect_auth_attempts_total{result="locked"}',
      'recollect_auth_refresh_total{result="reused"}',
      'recollect_audit_failures_total',
      'recollect_hints_failed_total',
      'recollect_model_cache_hits_total{operation="summarise_window"}',
    ])
      expect(text).toContain(`\n${series} 0\n`);
  });

  test('are no more after 1,000 odd paths, names and users', async () => {
    const server = await apiOn(instance.db.url('app'));
    const headers = { authorization: `Bearer ${instance.admin.key}` };
    /** Requests by their number: each has a text that no other has. */
    const requests = [
      (n: number) => ({ url: `/${randomUUID()}/${n}` }),
      (n: number) => ({ url: `/api/v1/x${n}/%F0%9F%98%80` }),
      (n: number) => ({ url: `/api/v1/sessions/host${n}:${randomUUID()}`, headers }),
      (n: number) => ({
        url: `/api/v1/search?q=word${n}&tool=tool${n}`,
        headers: { authorization: `Bearer guess-${n}` },
      }),
      (n: number) => ({
        method: 'POST' as const,
        url: `/api/v1/hooks/Hook${n}`,
        headers,
        payload: { session_id: `s${n}` },
      }),
      (n: number) => ({ url: '/metrics', headers: { authorization: `Bearer rcl_${n}`, 'user-agent': `agent ${n}` } }),
      (n: number) => ({ url: `/api/v1/learnings?namespace=name${n}`, headers, cookies: { [`c${n}`]: 'x' } }),
      (n: number) => ({ method: 'PROPFIND' as 'GET', url: `/api/v1/events/${n}` }),
    ];
    const play = async (from: number, to: number) => {
      for (let n = from; n < to; n += 1) await server.inject(requests[n % requests.length]?.(n) ?? '/');
    };
    await play(0, 2 * requests.length);
    await scrape(server);
    const computed = [
      'recollect_instance_read_timestamp_seconds ',
      'recollect_dependency_up{dependency="embedder"}',
      'recollect_schedule_interval_seconds{',
    ];
    await until(async () => {
      const { text } = await scrape(server);
      return computed.every((name) => text.includes(`\n${name}`)) || undefined;
    });
    const before = seriesOf((await scrape(server)).text);
    await play(2 * requests.length, 1_000);
    const { text } = await scrape(server);
    // Node's kinds of open handles and of collections of garbage differ from moment to moment.
    const own = (series: readonly string[]) => series.filter((name) => !name.startsWith('nodejs_'));
    expect(own(seriesOf(text))).toEqual(own(before));
    expect(text).not.toMatch(/hook9|guess-|name9|word9|%F0/i);
  }, 400_000);
});
