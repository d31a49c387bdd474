import { v7 } from 'uuid';
import { beforeAll, describe, expect, test } from 'vitest';
import { createModelObserver } from '../../../api/metrics/model-metrics.ts';
import { withinPatience } from '../../../api/metrics/scrape.ts';
import { createApiMetrics } from '../../../telemetry/api-metrics.ts';
import { readUsageGroups, readUsageTotals } from '../../../stores/postgres/usage/usage-report.ts';
import type { TestUser } from '../../setup/database.ts';
import type { ApiAnswer } from '../../setup/instance.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { promptEvent } from '../support/events.ts';
import { expectError } from '../support/answers.ts';

const DAY_MS = 86_400_000;
/** Of all calls and days: midnight may come between. */
const NOW = Date.now();
const instance = fileInstance();
let colleague: TestUser;

interface Call {
  readonly user?: TestUser;
  readonly session?: string | null;
  readonly model?: string;
  readonly operation?: string;
  readonly daysAgo?: number;
  readonly tokens?: number;
  readonly hit?: boolean;
  readonly batch?: boolean;
}

/** Books a call as a worker does, at a time of the past. */
async function booked(call: Call = {}): Promise<void> {
  const user = call.user ?? instance.admin;
  const at = new Date(NOW - (call.daysAgo ?? 0) * DAY_MS);
  const tokens = call.hit === true ? 0 : (call.tokens ?? 100);
  await instance.write(
    `INSERT INTO usage_ledger (id, tenant_id, user_id, session_id, operation, provider, model, input_tokens, output_tokens, tokens_cached, tokens_cache_written, cost_usd, cache_hit, batch, latency_ms, created_at)
     VALUES ($1, $2, $3, $4, $5, 'anthropic', $6, $7, $8, 40, 20, $9, $10, $11, 500, $12)`,
    [
      v7({ msecs: at.getTime() }),
      user.tenantId,
      user.userId,
      call.session ?? null,
      call.operation ?? 'summarise_window',
      call.model ?? 'small',
      tokens,
      tokens / 10,
      tokens / 1e5,
      call.hit ?? false,
      call.batch ?? false,
      at,
    ],
  );
}

async function sessionIn(project: string): Promise<string> {
  const path = `/src/${project}`;
  await instance.post('/events', promptEvent(project, 'hello', { project: { name: project, path } }));
  const rows = await instance.rows<{ id: string }>('SELECT id FROM sessions WHERE external_id = $1', [project]);
  return rows[0]?.id ?? '';
}

const get = (path: string, key?: string): Promise<ApiAnswer> => instance.get(path, key);

async function body(path: string, key?: string): Promise<unknown> {
  const answer = await get(path, key);
  expect(answer.status).toBe(200);
  return answer.body;
}

beforeAll(async () => {
  colleague = await instance.user();
  const stranger = await instance.stranger();
  const session = await sessionIn('tally');
  await booked({ session, tokens: 1_000 });
  await booked({ session, tokens: 1_000, operation: 'summarise_session', model: 'large' });
  await booked({ session, hit: true });
  await booked({ user: colleague, tokens: 500, batch: true, daysAgo: 2 });
  await booked({ user: colleague, tokens: 500, daysAgo: 40 });
  await booked({ user: stranger, tokens: 1e6 });
  await instance.write(
    `INSERT INTO system_alerts (id, tenant_id, user_id, type, day, details) VALUES ($1, $2, $3, 'budget_threshold', now(), '{"used_tokens": 9, "quota_tokens": 10, "share": 0.9}')`,
    [v7(), colleague.tenantId, colleague.userId],
  );
});

describe('GET /usage', () => {
  test('sums what the tenant used in the last 30 days, for an admin', async () => {
    expect(await body('/usage')).toMatchObject({
      scope: { user: null },
      totals: {
        calls: 3,
        cache_hits: 1,
        batch_calls: 1,
        input_tokens: 2_500,
        output_tokens: 250,
        tokens_cached: 160,
        tokens_cache_written: 80,
        tokens_batch: 550,
        usd: 0.025,
        latency_ms: 500,
      },
      group_by: null,
      groups: [],
      more_groups: false,
      alerts: [{ type: 'budget_threshold', user: { id: colleague.userId }, used_tokens: 9 }],
    });
  });

  test('shows others their own, and no more', async () => {
    const own = { scope: { user: { id: colleague.userId } }, totals: { calls: 1, input_tokens: 500 } };
    expect(await body('/usage', colleague.key)).toMatchObject(own);
    expect(await body('/usage?user=me', colleague.key)).toMatchObject(own);
    expect(await body(`/usage?user=${colleague.userId}`)).toMatchObject(own);
    expect(await get(`/usage?user=${instance.admin.userId}`, colleague.key)).toMatchObject({ status: 403 });
    expect(await get('/usage?user=unknown', colleague.key)).toMatchObject({ status: 403 });
    expect(await get('/usage?user=unknown')).toMatchObject({ status: 404 });
  });

  test.each([
    ['model', ['small', 'large']],
    ['operation', ['summarise_window', 'summarise_session']],
    ['project', ['tally', null]],
    ['session', [expect.stringMatching(/^[\w-]+:./), null]],
  ])('groups by %s, the dearest first', async (by, names) => {
    expect(await body(`/usage?group_by=${by}`)).toMatchObject({
      group_by: by,
      groups: names.map((name) => ({ name })),
    });
  });

  test('groups by user and by day', async () => {
    expect(await body('/usage?group_by=user')).toMatchObject({
      groups: [
        { key: instance.admin.userId, name: instance.admin.userId, calls: 2, cache_hits: 1, input_tokens: 2_000 },
        { key: colleague.userId, calls: 1 },
      ],
    });
    const day = (ago: number): string => new Date(NOW - ago * DAY_MS).toISOString().slice(0, 10);
    expect(await body('/usage?group_by=day')).toMatchObject({
      groups: [
        { key: day(2), name: day(2), input_tokens: 500 },
        { key: day(0), input_tokens: 2_000 },
      ],
    });
    expect(await body('/usage?group_by=model&by_day=true')).toMatchObject({
      groups: [
        { day: day(2), key: 'small', input_tokens: 500 },
        { day: day(0), key: 'small', input_tokens: 1_000, cache_hits: 1 },
        { day: day(0), key: 'large', input_tokens: 1_000 },
      ],
      more_groups: false,
    });
    // The dearest key of the time, on each of its days.
    expect(await body('/usage?group_by=model&by_day=true&limit=1')).toMatchObject({
      groups: [
        { day: day(2), key: 'small' },
        { day: day(0), key: 'small' },
      ],
      more_groups: true,
    });
    expectError(await get('/usage?by_day=true'), 'VALIDATION_FAILED', 'by_day');
    expectError(await get('/usage?group_by=model&by_day=true&limit=21'), 'VALIDATION_FAILED', 'limit');
    expect(await body('/usage?group_by=day&limit=1')).toMatchObject({ groups: [{ key: day(2) }], more_groups: true });
  });

  test('reads the requested time', async () => {
    const since = new Date(Date.now() - 50 * DAY_MS).toISOString();
    const until = new Date(Date.now() - 10 * DAY_MS).toISOString();
    expect(await body(`/usage?since=${since}&until=${until}`)).toMatchObject({
      since,
      until,
      totals: { calls: 1, input_tokens: 500, cache_hits: 0 },
    });
  });

  test('returns the remaining tokens of the day', async () => {
    const { db } = instance;
    await db.write(
      "UPDATE users SET daily_token_quota = 1000, tokens_used_today = 500, tokens_used_on = (now() AT TIME ZONE 'UTC')::date WHERE id = $1",
      [colleague.userId],
    );
    await db.write(
      "INSERT INTO usage_reservations (id, tenant_id, user_id, tokens, provider, expires_at) VALUES (uuidv7(), $1, $2, 250, 'anthropic', now() + interval '1 minute'), (uuidv7(), $1, $2, 99, 'anthropic', now())",
      [colleague.tenantId, colleague.userId],
    );
    expect(await body('/usage', colleague.key)).toMatchObject({
      budget: { quota_tokens: 1_000, used_tokens: 500, reserved_tokens: 250, share: 0.75, alert_share: 0.8 },
    });
    expect(await body('/usage')).toMatchObject({ budget: { quota_tokens: 1_000_000, used_tokens: 0 } });
  });

  test('is read by indexes made for it, as the application', async () => {
    const { db, admin } = instance;
    const client = await db.database.pool.connect();
    try {
      await client.query('BEGIN');
      await client.query("SELECT set_config('app.tenant_id', $1, true)", [admin.tenantId]);
      await client.query('SET LOCAL enable_seqscan = off');
      const plans: string[] = [];
      const read = async (statement: { text: string; values: unknown[] }): Promise<unknown[]> => {
        const plan = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${statement.text}`, statement.values);
        plans.push(plan.rows.map((row) => row['QUERY PLAN']).join('\n'));
        return [];
      };
      const scope = { since: '2026-01-01T00:00:00Z', until: '2026-01-02T00:00:00Z' };
      await readUsageTotals(read, { ...scope, userId: null }).catch(() => undefined);
      await readUsageGroups(read, { ...scope, userId: admin.userId }, { group: 'model', byDay: true, limit: 10 }).catch(
        () => undefined,
      );
      const [all, one] = plans;
      expect(all).toMatch(/Index Cond:.*tenant_id = .*created_at >= /u);
      expect(one).toMatch(/Index Cond:.*tenant_id = .*user_id = .*created_at >= /u);
      // Only the partitions of the time are read.
      expect((all ?? '').match(/ on usage_ledger_\w+/gu)?.length ?? 0).toBeLessThanOrEqual(2);
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  });
});

describe('GET /usage/forecast', () => {
  test('is based on the complete days since the first call', async () => {
    const answer = await body('/usage/forecast?days=7', colleague.key);
    expect(answer).toMatchObject({
      scope: { user: { id: colleague.userId } },
      method: 'mean_by_weekday',
      days_observed: 28,
      // One of four such weekdays had 550 tokens.
      total: { tokens: { expected: 138 } },
    });
    expect(answer).toHaveProperty('days.length', 7);
  });

  test('is absent without usage', async () => {
    const { key } = await instance.stranger();
    expect(await body('/usage/forecast', key)).toMatchObject({
      method: 'none',
      days_observed: 0,
      days: [],
      total: null,
    });
  });
});

describe('GET /roi', () => {
  test('is absent without data', async () => {
    const { key } = await instance.stranger();
    expect(await body('/roi?minutes_per_memory=5&hourly_usd=60&usd_per_mtok=3', key)).toMatchObject({
      inputs: { minutes_per_memory: 5, hourly_usd: 60, usd_per_mtok: 3 },
      data: { contexts: 0, session_starts: 0, source_tokens: 0, used_memories: 0, spent_usd: 0, limited: false },
      formulas: { saved_tokens: 'source_tokens - start_tokens' },
      result: { saved_tokens: null, saved_minutes: null, net_usd: null, ratio: null },
    });
  });

  test('compares served tokens with those of their sources, each source once', async () => {
    const { db } = instance;
    const user = await db.createUser();
    await instance.post('/events', promptEvent('roi', 'words '.repeat(100)), user.key);
    const rows = await db.rows<{ id: string; row: string; tokens: number; row_tokens: number }>(
      'SELECT s.id, p.id AS row, s.token_count AS tokens, p.tokens AS row_tokens FROM sessions s JOIN prompts p ON p.session_id = s.id WHERE s.tenant_id = $1',
      [user.tenantId],
    );
    const [session] = rows;
    if (session === undefined) throw new Error('the session is missing');
    await db.write(
      "INSERT INTO windows (session_id, n, tenant_id, from_seq, to_seq, tokens, reason) VALUES ($1, 1, $2, 1, 1, 4000, 'turn')",
      [session.id, user.tenantId],
    );
    const summary = async (type: string, slot: string, windowN: number | null): Promise<string> => {
      const id = v7();
      await db.write(
        `INSERT INTO summaries (id, tenant_id, session_id, user_id, slot, type, title, content, model, input_tokens, output_tokens, cost_usd, window_n, from_seq, to_seq, occurred_at)
         VALUES ($1, $2, $3, $4, $5, $6, 't', 'c', 'm', 1, 1, 0, $7, 1, 1, now())`,
        [id, user.tenantId, session.id, user.userId, slot, type, windowN],
      );
      return id;
    };
    const [topic, item, sessionSummary] = [
      await summary('topic', 'topic:1', 1),
      await summary('item', 'item:1:0', 1),
      await summary('session', 'session:1', null),
    ];
    const learning = v7();
    await db.write(
      `INSERT INTO learnings (id, tenant_id, user_id, fingerprint, category, title, description, confidence, valid_from) VALUES ($1, $2, $3, 'f', 'general', 't', 'd', 0.5, now())`,
      [learning, user.tenantId, user.userId],
    );
    await db.write(
      "INSERT INTO learning_evidence (learning_id, row_id, quote_sha256, tenant_id, session_id, quote) VALUES ($1, $2, 'a', $3, $4, 'words'), ($1, $2, 'b', $3, $4, 'words words')",
      [learning, session.row, user.tenantId, session.id],
    );
    const served = async (purpose: string, items: readonly [string, string][]): Promise<string> => {
      const id = v7();
      await db.write(
        'INSERT INTO contexts (id, tenant_id, user_id, purpose, tokens, item_ids, item_types) VALUES ($1, $2, $3, $4, 100, $5, $6)',
        [id, user.tenantId, user.userId, purpose, items.map(([one]) => one), items.map(([, type]) => type)],
      );
      return id;
    };
    // The window once, and the row that is quoted twice once.
    const first = await served('session_start', [
      [topic, 'summary'],
      [item, 'summary'],
      [learning, 'learning'],
    ]);
    // The session contains its windows.
    await served('session_start', [
      [sessionSummary, 'summary'],
      [topic, 'summary'],
    ]);
    await served('prompt', [[topic, 'summary']]);
    await db.write(
      "INSERT INTO memory_uses (context_id, resource_id, kind, tenant_id, user_id, resource_type, weight) VALUES ($1, $2, 'useful', $3, $4, 'summary', 1), ($1, $2, 'fetched', $3, $4, 'summary', 0), ($1, $5, 'wrong', $3, $4, 'learning', 0)",
      [first, topic, user.tenantId, user.userId, learning],
    );
    const source = 4_000 + session.row_tokens + session.tokens;
    expect(await body('/roi?minutes_per_memory=6&hourly_usd=100', user.key)).toMatchObject({
      data: {
        contexts: 3,
        session_starts: 2,
        injected_tokens: 300,
        start_tokens: 200,
        source_tokens: source,
        served_memories: 6,
        used_memories: 1,
        wrong_memories: 1,
      },
      result: { saved_tokens: source - 200, saved_tokens_usd: null, saved_minutes: 6, saved_time_usd: 10, net_usd: 10 },
    });
  });
});

describe('metrics', () => {
  test('count what was booked since the process began, once', async () => {
    const metrics = createApiMetrics('0.0.0', 'test', true);
    let now = Date.now() - 3 * DAY_MS;
    const read = createModelObserver(instance.db.database.pool, metrics.models, () => now);
    const observe = withinPatience(read, 60_000);
    now = Date.now() + 60_000;
    await Promise.all([observe(), observe()]);
    await observe();
    const modelLines = async () =>
      (await metrics.registry.metrics())
        .split('\n')
        .filter((line) => line.startsWith('recollect_'))
        .join('\n');
    const text = await modelLines();
    // In all tenants: the stranger's call is among them.
    expect(text).toContain(
      'recollect_model_calls_total{provider="anthropic",model="small",operation="summarise_window",batch="false"} 2',
    );
    expect(text).toContain(
      'recollect_model_calls_total{provider="anthropic",model="small",operation="summarise_window",batch="true"} 1',
    );
    expect(text).toContain('recollect_model_tokens_total{provider="anthropic",model="large",kind="in"} 1000');
    expect(text).toContain('recollect_model_cache_hits_total{operation="summarise_window"} 1');
    expect(text).toContain('recollect_budget_alerts_total 1');
    expect(text).toContain('recollect_model_cost_usd_total{provider="anthropic",model="large"} 0.01');
    now += 60_000;
    await observe();
    expect(await modelLines()).toBe(text);
  });

  test('are on the page', async () => {
    const answer = await get('/metrics');
    expect(answer.status).toBe(200);
    expect(String(answer.body)).toContain('# TYPE recollect_model_calls_total counter');
  });
});
