import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createSummariseActivities } from '../../activities/summarise/create-summarise-activities.ts';
import { createModels } from '../../models/create-model.ts';
import { createTokenCounter } from '../../models/tokens/token-counter.ts';
import { providerSettings, startMessagesServer } from '../models/claude/messages-server.ts';
import type { MessagesServer } from '../models/claude/messages-server.ts';
import { replay, sessionOf, settled } from '../setup/demo-session.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { until } from '../setup/until.ts';
import { bodyOf, inTime } from '../api/support/answers.ts';

let provider: MessagesServer;
const instances: TestInstance[] = [];

async function start(overrides: Readonly<Record<string, string>>): Promise<TestInstance> {
  const instance = await startTestInstance({
    ...providerSettings(provider),
    RECOLLECT_SESSION_RETRY_MS: '300',
    ...overrides,
  });
  instances.push(instance);
  return instance;
}

beforeAll(async () => {
  provider = await startMessagesServer({ author: true });
});
afterAll(async () => {
  for (const instance of instances) await instance.close();
  await provider.close();
});

function session(id: string, words = 'because two servers disagreed') {
  return [
    {
      session_id: id,
      cwd: '/src/clock',
      hook_event_name: 'UserPromptSubmit',
      prompt: `Please always keep times in UTC, ${words}.`,
    },
    { session_id: id, cwd: '/src/clock', hook_event_name: 'SessionEnd', reason: 'other' },
  ];
}

const jobAnswer = z.object({
  job: z.object({ state: z.string(), waiting_reason: z.string(), waiting_until: z.string().nullable() }),
});

test(
  'a session over the daily tokens waits visibly until the next day, or until a retry with a higher quota',
  { timeout: 240_000 },
  async () => {
    const instance = await start({ RECOLLECT_USER_DAILY_TOKENS: '100000' });
    await instance.write(
      "UPDATE users SET tokens_used_today = 100000, tokens_used_on = (now() AT TIME ZONE 'UTC')::date WHERE id = $1",
      [instance.admin.userId],
    );
    await instance.startWorker();
    await replay(instance, session('spent'));
    const waiting = await until(async () => {
      const seen = await sessionOf(instance, 'claude-code:spent');
      return seen.waiting_reason === 'BudgetExhausted' ? seen : undefined;
    });
    expect(waiting).toMatchObject({ status: 'active', counts: { windows_parked: 0 } });
    expect(provider.requests).toHaveLength(0);

    // Until when: five minutes after the day's end at the latest.
    const job = `/jobs/session.${waiting.id}`;
    // A worker answers it: a busy one late.
    const seen = await until(async () => {
      const { job: seen } = bodyOf(jobAnswer, await inTime(() => instance.get(job)));
      return seen.waiting_until === null ? undefined : seen;
    });
    expect(seen).toMatchObject({ state: 'waiting', waiting_reason: 'BudgetExhausted' });
    const waitingUntil = Date.parse(seen.waiting_until ?? '');
    const midnight = new Date().setUTCHours(24, 0, 0, 0);
    expect(waitingUntil).toBeGreaterThanOrEqual(midnight - 60_000);
    expect(waitingUntil).toBeLessThan(midnight + 360_000);

    await instance.write('UPDATE users SET daily_token_quota = 1000000 WHERE id = $1', [instance.admin.userId]);
    expect((await instance.call('POST', `${job}/retry`)).status).toBeLessThan(300);
    const done = await settled(instance, 'claude-code:spent');
    expect(done).toMatchObject({ waiting_reason: null, counts: { windows_parked: 0 } });
    const rows = await instance.rows<{ used: number; booked: number; left: number }>(
      `SELECT tokens_used_today AS used, (SELECT sum(input_tokens + output_tokens)::integer FROM usage_ledger) AS booked,
              (SELECT count(*)::integer FROM usage_reservations) AS left FROM users WHERE id = $1`,
      [instance.admin.userId],
    );
    expect(rows[0]?.used).toBe(100_000 + (rows[0]?.booked ?? 0));
    expect(rows[0]).toMatchObject({ left: 0 });
    expect(rows[0]?.booked).toBeGreaterThan(0);
  },
);

test(
  'a session that waits for a slot among the concurrent calls shows it while it waits, and continues with a free one',
  { timeout: 240_000 },
  async () => {
    const instance = await start({ RECOLLECT_MODEL_USER_CONCURRENCY: '1' });
    // As a killed worker leaves it.
    await instance.write(
      "INSERT INTO usage_reservations (id, tenant_id, user_id, tokens, provider, batch, expires_at) VALUES (gen_random_uuid(), $1, $2, 100, 'anthropic', false, now() + interval '1 hour')",
      [instance.admin.tenantId, instance.admin.userId],
    );
    await instance.startWorker();
    const startedAt = performance.now();
    await replay(instance, session('crowded', 'as in a crowd'));
    const waiting = await until(async () => {
      const seen = await sessionOf(instance, 'claude-code:crowded');
      return seen.waiting_reason === 'ModelBusy' ? seen : undefined;
    });
    const { body } = await instance.call('GET', `/jobs/session.${waiting.id}`);
    // Before the attempt ends: each waits for a minute.
    const minutes = Math.floor((performance.now() - startedAt) / 60_000);
    expect(body).toMatchObject({ job: { state: 'waiting', waiting_reason: 'ModelBusy' } });
    const { job } = z.object({ job: z.object({ attempts: z.number() }) }).parse(body);
    expect(job.attempts).toBeLessThanOrEqual(1 + minutes);
    await instance.write('DELETE FROM usage_reservations');
    expect(await settled(instance, 'claude-code:crowded')).toMatchObject({ waiting_reason: null, last_error: null });
  },
);

test('a session whose calls exceed the daily tokens does not wait for ever', { timeout: 240_000 }, async () => {
  const instance = await start({ RECOLLECT_USER_DAILY_TOKENS: '10' });
  await instance.startWorker();
  const before = provider.requests.length;
  await replay(instance, session('too-long'));
  const { id } = await settled(instance, 'claude-code:too-long');
  const rows = await instance.rows<{ reason: string }>('SELECT error AS reason FROM windows WHERE session_id = $1', [
    id,
  ]);
  expect(rows).toHaveLength(1);
  expect(rows[0]?.reason).toMatch(/^ModelInputInvalid: the call may take \d+ tokens; the user's day has 10$/u);
  expect(provider.requests).toHaveLength(before);
});

test(
  'over the daily tokens the local model does the work where the settings say so, and the summaries say its name',
  { timeout: 240_000 },
  async () => {
    const instance = await start({ RECOLLECT_USER_DAILY_TOKENS: '10', RECOLLECT_BUDGET_EXCEEDED_ACTION: 'local' });
    await instance.startWorker();
    const before = provider.requests.length;
    await replay(instance, session('fallback'));
    const { id } = await settled(instance, 'claude-code:fallback');
    const rows = await instance.rows<{ model: string }>('SELECT DISTINCT model FROM summaries WHERE session_id = $1', [
      id,
    ]);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.model).toMatch(/^local/u);
    expect(provider.requests).toHaveLength(before);
    const booked = await instance.rows('SELECT DISTINCT provider, cost_usd::float AS usd FROM usage_ledger');
    expect(booked).toEqual([{ provider: 'local', usd: 0 }]);
  },
);

test(
  'a worker that dies between the answer and the summary pays nothing again; the same window in another session is free, too',
  { timeout: 240_000 },
  async () => {
    const instance = await start({});
    const { db, config } = instance;
    const { count } = createTokenCounter();
    const activities = createSummariseActivities({
      database: db.database,
      models: createModels(config.model, { countTokens: count, now: Date.now, environment: {} }),
      modelCalls: { database: db.database, limits: config.model, fallback: null },
      embeddingModel: { name: 'test', dimension: 3 },
      hints: {
        session: () => Promise.resolve(),
        index: () => Promise.resolve(),
        modelBatch: () => Promise.resolve(),
        reindex: () => Promise.resolve(),
      },
      clock: { now: Date.now },
      isBurst: () => Promise.resolve(false),
    });
    const windowOf = async (external: string) => {
      await replay(instance, session(external, 'as the logs say').slice(0, 1));
      const { id } = await sessionOf(instance, `claude-code:${external}`);
      await db.write(
        "INSERT INTO windows (session_id, n, tenant_id, from_seq, to_seq, tokens, reason) VALUES ($1, 1, $2, 1, 1, 10, 'turn')",
        [id, instance.admin.tenantId],
      );
      return { tenantId: instance.admin.tenantId, sessionId: id };
    };
    const summarise = (ref: { tenantId: string; sessionId: string }) =>
      new MockActivityEnvironment().run(() => activities.summariseWindows({ ...ref, phase: 'summarising' }));

    const ref = await windowOf('killed');
    const before = provider.log.length;
    await db.owner.query(
      "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'killed here'; END $$; CREATE TRIGGER refuse BEFORE INSERT ON summaries FOR EACH ROW EXECUTE FUNCTION refuse()",
    );
    await expect(summarise(ref)).rejects.toThrow(/killed here/u);
    await db.owner.query('DROP TRIGGER refuse ON summaries');
    const messages = () => provider.log.slice(before).filter((call) => call.endpoint === 'messages').length;
    expect(messages()).toBe(1);
    expect(await summarise(ref)).toMatchObject({ windowsPending: 0, calls: 0, tokens: 0, usd: 0 });
    // The provider is not even called to count tokens, so that this works while it is unavailable.
    provider.down({ kind: 'error', status: 529, type: 'overloaded_error' });
    const again = await summarise(await windowOf('replayed'));
    provider.down(null);
    expect(again).toMatchObject({ windowsPending: 0, windowsParked: 0, calls: 0 });
    expect(messages()).toBe(1);
    const rows = await db.rows(
      'SELECT cache_hit AS hit, count(*)::integer AS n FROM usage_ledger GROUP BY 1 ORDER BY 1',
    );
    expect(rows).toEqual([
      { hit: false, n: 1 },
      { hit: true, n: 2 },
    ]);
    const written = await db.rows("SELECT count(*)::integer AS n FROM summaries WHERE type = 'topic'");
    expect(written).toEqual([{ n: 2 }]);
  },
);
