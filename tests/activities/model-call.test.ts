import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { callModel } from '../../activities/model-call.ts';
import type { ModelCallDependencies, ModelTask } from '../../activities/model-call.ts';
import { BudgetExhausted } from '../../domain/costs/limits.ts';
import type { ModelLimits } from '../../domain/costs/limits.ts';
import { asId } from '../../domain/ids.ts';
import { ModelError } from '../../domain/ports/model.ts';
import type { PreparedCall, SourceRow } from '../../domain/ports/model.ts';
import { captureEvents } from '../../stores/postgres/capture/capture.ts';
import type { BudgetAlert } from '../../stores/postgres/usage/budgets.ts';
import type { UsageOwner } from '../../stores/postgres/usage/usage-ledger.ts';
import { fileDatabase } from '../setup/database.ts';
import { until } from '../setup/until.ts';
import { event, promptPart } from '../stores/postgres/support/captures.ts';
import { BILL, createPaidModel, LIMITS, portOf } from './support/paid-model.ts';
import type { PaidModel } from './support/paid-model.ts';

const db = fileDatabase();
let owner: UsageOwner;
let model: PaidModel;
let alerts: BudgetAlert[];

beforeEach(async () => {
  owner = await ownerOf(randomUUID());
  model = createPaidModel();
  alerts = [];
});

async function ownerOf(session: string): Promise<UsageOwner> {
  const user = await db.createUser();
  return sessionOf(user, session);
}

async function sessionOf(user: Pick<UsageOwner, 'tenantId' | 'userId'>, session: string): Promise<UsageOwner> {
  await captureEvents(db.database.pool, [
    event({ tenantId: user.tenantId, userId: asId(user.userId), key: '' }, session, [promptPart('A question')]),
  ]);
  const rows = await db.rows<{ id: string }>('SELECT id FROM sessions WHERE external_id = $1', [session]);
  return {
    tenantId: user.tenantId,
    userId: user.userId,
    sessionId: rows[0]?.id ?? '',
    operation: 'summarise_window',
  };
}

const FALLBACK = portOf('local');
const PORT = portOf('anthropic');

function dependencies(limits: Partial<ModelLimits> = {}, hasFallback = false): ModelCallDependencies {
  return {
    database: db.database,
    limits: { ...LIMITS, ...limits },
    fallback: hasFallback ? FALLBACK : null,
    onBudgetAlert: (alert) => alerts.push(alert),
  };
}

type Options = Omit<ModelTask<string>, 'prepare'>;

interface Circumstances {
  readonly limits?: Partial<ModelLimits>;
  readonly options?: Options;
  readonly signal?: AbortSignal;
  readonly whose?: UsageOwner;
  /** The call of the fallback model; without it there is none. */
  readonly fallback?: PreparedCall<string>;
}

function call(prepared: PreparedCall<string> | (() => Promise<PreparedCall<string>>), given: Circumstances = {}) {
  const { limits, options, signal, whose, fallback } = given;
  const prepare: ModelTask<string>['prepare'] = async (port) => {
    if (port === FALLBACK && fallback !== undefined) return fallback;
    return typeof prepared === 'function' ? prepared() : prepared;
  };
  return callModel(
    dependencies(limits, fallback !== undefined),
    whose ?? owner,
    [PORT],
    { prepare, ...options },
    signal ?? new AbortController().signal,
  );
}

async function booked(whose = owner) {
  const rows = await db.rows<{ tokens: number; usd: number; hit: boolean }>(
    `SELECT input_tokens + output_tokens AS tokens, cost_usd::float AS usd, cache_hit AS hit FROM usage_ledger WHERE user_id = $1 ORDER BY id`,
    [whose.userId],
  );
  return rows;
}

async function day(whose = owner): Promise<{ used: number; reserved: number }> {
  const rows = await db.rows<{ used: number; reserved: number }>(
    `SELECT tokens_used_today AS used, (SELECT count(*)::integer FROM usage_reservations r WHERE r.user_id = u.id) AS reserved FROM users u WHERE id = $1`,
    [whose.userId],
  );
  return rows[0] ?? { used: -1, reserved: -1 };
}

const PAID = { tokens: 750, usd: 0.001, hit: false };
const FREE = { tokens: 0, usd: 0, hit: true };

describe('a call', () => {
  test('is reserved, sent, settled, recorded and cached', async () => {
    let during = { used: -1, reserved: -1 };
    model.pause = async () => {
      during = await day();
    };
    const result = await call(model.prepare('what was done?'));
    expect(result).toEqual({
      output: 'what was done?',
      usage: [BILL],
      cost: { calls: 1, tokens: 750, usd: 0.001 },
      fromCache: false,
    });
    expect(during).toEqual({ used: 0, reserved: 1 });
    expect(await day()).toEqual({ used: 750, reserved: 0 });
    expect(await booked()).toEqual([PAID]);
    const rows = await db.rows(
      'SELECT tokens_cached, tokens_cache_written, batch, operation, provider FROM usage_ledger WHERE user_id = $1',
      [owner.userId],
    );
    expect(rows).toEqual([
      {
        tokens_cached: 300,
        tokens_cache_written: 100,
        batch: false,
        operation: 'summarise_window',
        provider: 'anthropic',
      },
    ]);
  });

  test('costs nothing on retry after a worker was killed', async () => {
    const step = async (write: () => Promise<void>) => {
      const { output, fromCache } = await call(model.prepare('what was done?'));
      await write();
      return { output, fromCache };
    };
    await expect(step(() => Promise.reject(new Error('killed')))).rejects.toThrow('killed');
    expect(await step(() => Promise.resolve())).toEqual({ output: 'what was done?', fromCache: true });
    expect(model.requests).toHaveLength(1);
    expect(await booked()).toEqual([PAID, FREE]);
    expect((await day()).used).toBe(750);
  });

  test('over the request limit is not sent and parks its window', async () => {
    const prepared = model.prepare('long', { inputTokens: 801 });
    await expect(call(prepared)).rejects.toMatchObject({ kind: 'invalid_request', message: /1001 tokens; 1000/u });
    expect(model.requests).toEqual([]);
    expect(await day()).toEqual({ used: 0, reserved: 0 });
  });

  test('that failed without cost releases its slot', async () => {
    model.script.push(new ModelError('overloaded', 'busy', { retryAfterMs: 1_500 }));
    await expect(call(model.prepare('q'))).rejects.toMatchObject({ kind: 'overloaded', retryAfterMs: 1_500 });
    expect(await day()).toEqual({ used: 0, reserved: 0 });
    expect(await booked()).toEqual([]);
  });

  test('that failed with a cost is recorded', async () => {
    model.script.push(new ModelError('refused', 'no', { usage: [BILL] }));
    await expect(call(model.prepare('q'))).rejects.toMatchObject({ kind: 'refused' });
    expect(await day()).toEqual({ used: 750, reserved: 0 });
    expect(await booked()).toEqual([PAID]);
  });

  test('that is cancelled releases its slot', async () => {
    const cancel = new AbortController();
    model.pause = () => {
      cancel.abort(new Error('stop'));
      return Promise.resolve();
    };
    await expect(call(model.prepare('q'), { signal: cancel.signal })).rejects.toThrow('stop');
    expect(await day()).toEqual({ used: 0, reserved: 0 });
  });

  test('waits for a free concurrency slot', async () => {
    const gate = Promise.withResolvers<void>();
    model.pause = () => gate.promise;
    const calls = ['a', 'b', 'c', 'd', 'e'].map((question) => call(model.prepare(question)));
    await until(async () => ((await day()).reserved === 3 && model.requests.length === 3 ? true : undefined));
    expect(model.requests).toHaveLength(3);
    gate.resolve();
    expect((await Promise.all(calls)).map((result) => result.output)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(await day()).toEqual({ used: 5 * 750, reserved: 0 });
  });

  test('that waits for a slot can be cancelled', async () => {
    const cancel = new AbortController();
    const gate = Promise.withResolvers<void>();
    model.pause = () => gate.promise;
    const first = call(model.prepare('a'), { limits: { userConcurrency: 1 } });
    await until(async () => ((await day()).reserved === 1 ? true : undefined));
    const second = call(model.prepare('b'), { limits: { userConcurrency: 1 }, signal: cancel.signal });
    cancel.abort();
    await expect(second).rejects.toThrow(/abort/iu);
    gate.resolve();
    await first;
    expect(model.requests).toHaveLength(1);
  });
});

describe('an unusable response', () => {
  test('is repaired once, and both calls are recorded', async () => {
    model.script.push('wrong', 'ok: better');
    const result = await call(model.prepare('q'));
    expect(result).toMatchObject({ output: 'better', cost: { calls: 2, tokens: 1_500, usd: 0.002 } });
    expect(model.requests).toEqual([
      { question: 'q', repair: false },
      { question: 'q | wrong | not so: wrong', repair: true },
    ]);
    expect(await booked()).toEqual([PAID, PAID]);
    // The repair's response is cached for the first request.
    expect(await call(model.prepare('q'))).toMatchObject({ output: 'better', fromCache: true });
  });

  test('twice fails with the reason and both costs; nothing is cached', async () => {
    model.script.push('wrong', 'wrong again');
    await expect(call(model.prepare('q'))).rejects.toMatchObject({
      kind: 'invalid_output',
      message: 'answer.start',
      usage: [BILL, BILL],
    });
    expect(await booked()).toEqual([PAID, PAID]);
    expect(await call(model.prepare('q'))).toMatchObject({ fromCache: false });
  });

  test('fails with its own fault if the repair does not fit', async () => {
    model.script.push('wrong');
    const prepared = model.prepare('q', {
      repair: () => Promise.reject(new ModelError('invalid_request', 'does not fit')),
    });
    await expect(call(prepared)).rejects.toMatchObject({ kind: 'invalid_output', usage: [BILL] });
  });

  test("fails with the repair's error and the first cost", async () => {
    model.script.push('wrong', new ModelError('rate_limited', 'slow down', { retryAfterMs: 9 }));
    await expect(call(model.prepare('q'))).rejects.toMatchObject({
      kind: 'rate_limited',
      retryAfterMs: 9,
      usage: [BILL],
    });
    expect(await booked()).toEqual([PAID]);
  });
});

describe('an unusable response whose repair must wait', () => {
  // A call reserves 1,000 and uses 750: the first fits, its repair does not.
  const limits = { userDailyTokens: 1_500 };
  const repair = { question: 'q | wrong | not so: wrong', repair: true };

  test('is not paid again the next day: its repair is sent, and both are counted', async () => {
    model.script.push('wrong');
    const failure: unknown = await call(model.prepare('q'), { limits }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BudgetExhausted);
    expect(failure).toMatchObject({ usage: [BILL] });
    await db.write('UPDATE users SET tokens_used_on = tokens_used_on - 1 WHERE id = $1', [owner.userId]);
    model.script.push('ok: better');
    expect(await call(model.prepare('q'), { limits })).toEqual({
      output: 'better',
      usage: [BILL, BILL],
      cost: { calls: 2, tokens: 1_500, usd: 0.002 },
      fromCache: false,
    });
    expect(model.requests).toEqual([{ question: 'q', repair: false }, repair]);
    expect(await booked()).toEqual([PAID, PAID]);
    expect(await call(model.prepare('q'), { limits })).toMatchObject({ output: 'better', fromCache: true });
  });

  test('counts its cost if the local model takes over', async () => {
    model.script.push('wrong');
    const result = await call(model.prepare('q'), { limits, fallback: model.prepare('q', local) });
    expect(result).toMatchObject({ output: 'by the local model', cost: { calls: 2, tokens: 1_500, usd: 0.001 } });
    expect(result.usage.map((usage) => usage.model)).toEqual([BILL.model, 'local-1']);
  });

  test('is repaired by the next attempt after a busy provider', async () => {
    model.script.push('wrong', new ModelError('overloaded', 'busy'));
    await expect(call(model.prepare('q'))).rejects.toMatchObject({ kind: 'overloaded' });
    expect(await call(model.prepare('q'))).toMatchObject({ cost: { calls: 2 } });
    expect(model.requests).toEqual([{ question: 'q', repair: false }, repair, repair]);
    expect(await booked()).toEqual([PAID, PAID]);
  });

  test('is requested again if its repair is unusable', async () => {
    model.script.push('wrong', new ModelError('overloaded', 'busy'), 'wrong again');
    await expect(call(model.prepare('q'))).rejects.toMatchObject({ kind: 'overloaded' });
    await expect(call(model.prepare('q'))).rejects.toMatchObject({ kind: 'invalid_output', usage: [BILL, BILL] });
    expect(await call(model.prepare('q'))).toMatchObject({ output: 'q', cost: { calls: 1 } });
  });

  test('is requested again if its repair does not fit', async () => {
    const repair = () => Promise.reject(new ModelError('invalid_request', 'does not fit'));
    model.script.push('wrong');
    await expect(call(model.prepare('q', { repair }))).rejects.toMatchObject({ kind: 'invalid_output' });
    expect(await call(model.prepare('q', { repair }))).toMatchObject({ output: 'q', cost: { calls: 1 } });
  });

  test('is not reused for another session or a nearly identical request', async () => {
    model.script.push('wrong');
    await expect(call(model.prepare(LONG), { limits, options: near() })).rejects.toBeInstanceOf(BudgetExhausted);
    const other = await sessionOf(owner, randomUUID());
    expect(await call(model.prepare(LONG), { whose: other })).toMatchObject({ fromCache: false, cost: { calls: 1 } });
    expect(model.requests.map((request) => request.repair)).toEqual([false, false]);
  });
});

const local: Partial<PreparedCall<string>> = {
  provider: 'local',
  send: () =>
    Promise.resolve({
      text: 'ok: by the local model',
      reading: { ok: true, output: 'by the local model' },
      usage: { ...BILL, provider: 'local', model: 'local-1', costUsd: 0 },
    }),
};

describe('a day', () => {
  test('without tokens defers requests to the next day, unsent', async () => {
    const limits = { userDailyTokens: 1_500 };
    await call(model.prepare('a'), { limits });
    const failure: unknown = await call(model.prepare('b'), { limits }).catch((error: unknown) => error);
    if (!(failure instanceof BudgetExhausted)) throw failure;
    const untilMidnight = new Date().setUTCHours(24, 0, 0, 0) - Date.now();
    expect(failure.waitMs).toBeGreaterThan(untilMidnight - 10_000);
    expect(failure.waitMs).toBeLessThan(untilMidnight + 310_000);
    expect(model.requests).toHaveLength(1);
    // The paid response is still cached.
    expect(await call(model.prepare('a'), { limits })).toMatchObject({ fromCache: true });
  });

  test.each([
    ['is spent', 1_500],
    ['is too short for the call', 999],
  ])('that %s uses the local model if configured', async (_, userDailyTokens) => {
    const limits = { userDailyTokens, overBudget: 'local' } as const;
    await db.write(
      "UPDATE users SET tokens_used_today = 600, tokens_used_on = (now() AT TIME ZONE 'UTC')::date WHERE id = $1",
      [owner.userId],
    );
    const result = await call(model.prepare('a'), { limits, fallback: model.prepare('a', local) });
    expect(result).toMatchObject({ output: 'by the local model', fromCache: false });
    expect(result.usage.at(-1)?.model).toBe('local-1');
    expect(await day()).toEqual({ used: 600, reserved: 0 });
    expect((await booked()).map((row) => row.usd)).toEqual([0]);
    await expect(call(model.prepare('a'), { limits })).rejects.toThrow(/tokens/u);
  });

  test('with too few tokens for the request parks its window with the reason', async () => {
    await expect(call(model.prepare('q'), { limits: { userDailyTokens: 999 } })).rejects.toMatchObject({
      name: 'ModelError',
      kind: 'invalid_request',
      message: "the call may take 1000 tokens; the user's day has 999",
      usage: [],
    });
    expect(model.requests).toEqual([]);
    expect(await day()).toEqual({ used: 0, reserved: 0 });
  });

  test('does not limit or cache the local model', async () => {
    for (let n = 0; n < 2; n += 1)
      expect(await call(model.prepare('a', local), { limits: { userDailyTokens: 0 } })).toMatchObject({
        fromCache: false,
      });
    expect(await booked()).toHaveLength(2);
  });

  test('raises one alert at the configured share', async () => {
    const limits = { userDailyTokens: 2_500, alertShare: 0.5 };
    await call(model.prepare('a'), { limits });
    expect(alerts).toEqual([]);
    await call(model.prepare('b'), { limits });
    expect(alerts).toEqual([{ tenantId: owner.tenantId, userId: owner.userId, usedTokens: 1_500, quotaTokens: 2_500 }]);
    await call(model.prepare('c'), { limits });
    expect(alerts).toHaveLength(1);
  });
});

const ROWS: readonly SourceRow[] = [
  {
    id: 'r',
    seq: 1,
    role: 'observation',
    type: 'tool_result',
    tool: 'Bash',
    title: 'Bash: npm test',
    content: 'npm test\n\n14 passed in 12 ms',
    tokens: 10,
    dataClass: 'internal',
    filesRead: [],
    filesModified: [],
    occurredAt: '2026-01-02T03:04:05Z',
  },
];
const LONG = Array.from({ length: 200 }, (_, n) => `word${n}x`).join(' ');
const near = (rows = ROWS, isSupported = true): Options => ({
  near: { rows, isSupported: () => isSupported },
});

describe('a nearly identical request', () => {
  test('reuses the response for free if its claims are supported', async () => {
    model.script.push('ok: word1x word2x');
    await call(model.prepare(`${LONG} it took 12 ms`), { options: near() });
    const other = await sessionOf(owner, randomUUID());
    const result = await call(model.prepare(`${LONG} it took 9.5 s`), { options: near(), whose: other });
    expect(result).toMatchObject({ output: 'word1x word2x', fromCache: true, cost: { calls: 0, tokens: 0, usd: 0 } });
    expect(result.usage.at(-1)?.model).toBe(BILL.model);
    expect(await booked()).toEqual([PAID, FREE]);
  });

  test.each<readonly [string, string, Options, Partial<ModelLimits>]>([
    ['a claim of which does not stand', `${LONG} it took 9.5 s`, near(ROWS, false), {}],
    ['that is of another shape', `${LONG} it took 9.5 s`, near(ROWS.map((row) => ({ ...row, type: 'error' }))), {}],
    ['that lacks a word of the answer', `${LONG.replace('word1x', 'other')} it took 12 ms`, near(), {}],
    ['that shares too little', `${LONG} ${LONG.replaceAll('word', 'other')}`, near(), {}],
    [
      'where the same question alone may take it',
      `${LONG} it took 9.5 s`,
      near(),
      { cache: { similarity: 1, days: 30 } },
    ],
    ['that is of another kind of step', `${LONG} it took 9.5 s`, {}, {}],
  ])('%s is sent', async (_, question, options, limits) => {
    model.script.push('ok: word1x word2x');
    await call(model.prepare(`${LONG} it took 12 ms`), { options: near() });
    expect(await call(model.prepare(question), { options, limits })).toMatchObject({ fromCache: false });
    expect(model.requests).toHaveLength(2);
  });
});

describe('a request known before preparation', () => {
  const question = (text: string) => ({ request: () => model.prepare(text) });

  test('is served from the cache without preparation', async () => {
    await call(model.prepare('q'));
    const prepare = () => Promise.reject(new ModelError('unavailable', 'the provider is unavailable'));
    expect(await call(prepare, { options: question('q') })).toMatchObject({ output: 'q', fromCache: true });
    await expect(call(prepare, { options: question('another') })).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('is looked up again if preparation changed it', async () => {
    await call(model.prepare('q, cut to fit'));
    const prepare = () => Promise.resolve(model.prepare('q, cut to fit'));
    expect(await call(prepare, { options: question('q') })).toMatchObject({ output: 'q, cut to fit', fromCache: true });
    expect(model.requests).toHaveLength(1);
  });
});

describe('cached responses', () => {
  test('of another tenant are never reused', async () => {
    await call(model.prepare('q'));
    expect(await call(model.prepare('q'), { whose: await ownerOf(randomUUID()) })).toMatchObject({ fromCache: false });
  });

  test('are not cached if disabled or if something of the session was forgotten meanwhile', async () => {
    const none = { cache: { similarity: 0.9, days: 0 } };
    await call(model.prepare('q'), { limits: none });
    expect(await call(model.prepare('q'), { limits: none })).toMatchObject({ fromCache: false });
    await call(model.prepare('p'), { options: { forgotten: 1 } });
    expect(await call(model.prepare('p'))).toMatchObject({ fromCache: false });
  });
});
