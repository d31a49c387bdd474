import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { callModel } from '../../activities/model-call.ts';
import type { FailoverReason, ModelCallDependencies, ModelTask } from '../../activities/model-call.ts';
import { BudgetExhausted } from '../../domain/costs/limits.ts';
import type { ModelLimits } from '../../domain/costs/limits.ts';
import { asId } from '../../domain/ids.ts';
import { ModelError } from '../../domain/ports/model.ts';
import type { ModelErrorKind, ModelPort, ModelProvider } from '../../domain/ports/model.ts';
import { captureEvents } from '../../stores/postgres/capture/capture.ts';
import type { UsageOwner } from '../../stores/postgres/usage/usage-ledger.ts';
import { fileDatabase } from '../setup/database.ts';
import { event, promptPart } from '../stores/postgres/support/captures.ts';
import { BILL, createPaidModel, LIMITS, portOf } from './support/paid-model.ts';
import type { PaidModel } from './support/paid-model.ts';

const db = fileDatabase();
const NAMES = ['anthropic', 'openai'] as const;
let owner: UsageOwner;
let ports: Map<ModelProvider, ModelPort>;
let paid: Map<ModelPort, PaidModel>;
let failovers: (readonly [ModelProvider, FailoverReason])[];

beforeEach(async () => {
  const user = await db.createUser();
  const session = randomUUID();
  await captureEvents(db.database.pool, [
    event({ tenantId: user.tenantId, userId: asId(user.userId), key: '' }, session, [promptPart('A question')]),
  ]);
  const rows = await db.rows<{ id: string }>('SELECT id FROM sessions WHERE external_id = $1', [session]);
  const { tenantId, userId } = user;
  owner = { tenantId, userId, sessionId: rows[0]?.id ?? '', operation: 'summarise_window' };
  ports = new Map(NAMES.map((name) => [name, portOf(name)]));
  paid = new Map([...ports.values()].map((port) => [port, createPaidModel()]));
  failovers = [];
});

function modelOf(name: ModelProvider): PaidModel {
  const model = paid.get(ports.get(name) ?? portOf(name));
  if (model === undefined) throw new Error(`no model ${name}`);
  return model;
}

/** The same request for every model; each has its own name in the cache key, as in the adapters. */
function taskOf(question: string): ModelTask<string> {
  const callOf = (port: ModelPort) =>
    modelOf(port.provider).prepare(question, { provider: port.provider, promptVersion: port.provider });
  return { prepare: (port) => Promise.resolve(callOf(port)), request: callOf };
}

interface Circumstances {
  readonly limits?: Partial<ModelLimits>;
  readonly more?: Partial<ModelCallDependencies>;
  readonly task?: ModelTask<string>;
}

function call(question: string, { limits, more, task }: Circumstances = {}) {
  const dependencies: ModelCallDependencies = {
    database: db.database,
    limits: { ...LIMITS, ...limits },
    fallback: null,
    onFailover: (provider, reason) => void failovers.push([provider, reason]),
    ...more,
  };
  return callModel(dependencies, owner, [...ports.values()], task ?? taskOf(question), new AbortController().signal);
}

async function booked() {
  const rows = await db.rows<{ provider: string; hit: boolean }>(
    'SELECT provider, cache_hit AS hit FROM usage_ledger WHERE user_id = $1 ORDER BY id',
    [owner.userId],
  );
  return rows;
}

const requestsBy = () => NAMES.map((name) => modelOf(name).requests.length);
/** The bill of a provider; the calls of the tests name their provider. */
const billOf = (provider: ModelProvider) => ({ ...BILL, provider });

beforeEach(() => {
  for (const [port, model] of paid) model.bill = billOf(port.provider);
});

describe('a provider that fails', () => {
  test.each<readonly [ModelErrorKind, number | undefined]>([
    ['rate_limited', 60_000],
    ['overloaded', undefined],
    ['timeout', undefined],
    ['unavailable', undefined],
    ['unauthorised', undefined],
  ])(
    'with %s is followed by the next one before its pause ends, and is not used again for a while',
    async (kind, retryAfterMs) => {
      modelOf('anthropic').script.push(new ModelError(kind, 'no', retryAfterMs === undefined ? {} : { retryAfterMs }));
      const started = performance.now();
      expect(await call('q')).toMatchObject({ output: 'q', usage: [{ provider: 'openai' }], fromCache: false });
      // The shortest pause of these failures.
      expect(performance.now() - started).toBeLessThan(30_000);
      expect(await call('p')).toMatchObject({ output: 'p' });
      expect(requestsBy()).toEqual([1, 2]);
      expect(await booked()).toEqual([
        { provider: 'openai', hit: false },
        { provider: 'openai', hit: false },
      ]);
      expect(failovers).toEqual([['anthropic', kind]]);
    },
  );

  test.each<ModelErrorKind>(['invalid_request', 'refused', 'truncated', 'invalid_output'])(
    'with %s is used again for another request',
    async (kind) => {
      modelOf('anthropic').script.push(new ModelError(kind, 'no', { usage: [billOf('anthropic')] }));
      const result = await call('q');
      // What the failed call cost is recorded at its provider, and counted.
      expect(result).toMatchObject({ output: 'q', cost: { calls: 2, tokens: 1_500 } });
      await call('p');
      expect(requestsBy()).toEqual([2, 1]);
      expect((await booked()).map(({ provider }) => provider)).toEqual(['anthropic', 'openai', 'anthropic']);
    },
  );

  test('is used again after its pause', async () => {
    modelOf('anthropic').script.push(new ModelError('rate_limited', 'no', { retryAfterMs: 40 }));
    await call('q');
    await expect.poll(async () => (await call(randomUUID())).usage[0]?.provider).toBe('anthropic');
  });

  test('in its preparation is followed by the next one, too', async () => {
    const { prepare, ...rest } = taskOf('q');
    const task: ModelTask<string> = {
      ...rest,
      prepare: (port) =>
        port.provider === 'anthropic' ? Promise.reject(new ModelError('unavailable', 'no count')) : prepare(port),
    };
    expect(await call('q', { task })).toMatchObject({ output: 'q' });
    expect(requestsBy()).toEqual([0, 1]);
  });
});

describe('an answer that was paid for', () => {
  test('at the second provider is not paid for again at the first, once that is back', async () => {
    modelOf('anthropic').script.push(new ModelError('invalid_request', 'no'));
    await call('q');
    expect(await call('q')).toMatchObject({
      output: 'q',
      fromCache: true,
      usage: [{ provider: 'openai', costUsd: 0 }],
    });
    expect(requestsBy()).toEqual([1, 1]);
    expect(await booked()).toEqual([
      { provider: 'openai', hit: false },
      { provider: 'openai', hit: true },
    ]);
  });
});

describe('a failure that was paid for', () => {
  const overloaded = () => new ModelError('overloaded', 'b', { retryAfterMs: 1 });
  const stored = () =>
    db.rows('SELECT FROM model_response_cache WHERE tenant_id = $1 AND unreadable IS NOT NULL', [owner.tenantId]);

  test.each<readonly [string, readonly (string | ModelError)[], Partial<ModelLimits>]>([
    ['of a response and its repair', ['wrong', 'wrong again'], {}],
    ['without a cache of responses', ['wrong', 'wrong again'], { cache: { similarity: 1, days: 0 } }],
    [
      'of a request with a cost',
      [new ModelError('invalid_request', 'cut', { usage: [billOf('anthropic'), billOf('anthropic')] })],
      {},
    ],
  ])('%s is not paid for again while the next provider fails', async (_, script, limits) => {
    modelOf('anthropic').script.push(...script);
    modelOf('openai').script.push(overloaded(), overloaded());
    const usage = [billOf('anthropic'), billOf('anthropic')];
    for (let attempt = 0; attempt < 2; attempt += 1)
      await expect(call('q', { limits })).rejects.toMatchObject({ kind: 'overloaded', usage });
    expect(modelOf('anthropic').requests).toHaveLength(script.length);
    // The pause of the other provider ends, and it answers: both costs are counted once.
    await expect
      .poll(() => call('q', { limits }).catch(() => null))
      .toMatchObject({
        output: 'q',
        usage: [...usage, billOf('openai')],
      });
    expect(modelOf('anthropic').requests).toHaveLength(script.length);
    expect((await booked()).map(({ provider }) => provider)).toEqual(['anthropic', 'anthropic', 'openai']);
    expect(await stored()).toEqual([]);
  });

  test('ends with the failure of all: the next equal request is sent to each', async () => {
    for (const name of NAMES) modelOf(name).script.push('wrong', 'wrong again');
    await expect(call('q')).rejects.toMatchObject({ kind: 'invalid_output' });
    expect(await stored()).toEqual([]);
    await call('q');
    expect(requestsBy()).toEqual([3, 2]);
  });

  test('of one provider is none of another with the same model', async () => {
    const task: ModelTask<string> = {
      prepare: (port) => Promise.resolve(modelOf(port.provider).prepare('q', { provider: port.provider })),
    };
    modelOf('anthropic').script.push('wrong', 'wrong again');
    modelOf('openai').script.push('wrong', 'ok: better');
    expect(await call('q', { task })).toMatchObject({ output: 'better', cost: { calls: 4 } });
    expect(requestsBy()).toEqual([2, 2]);
  });
});

describe('the budget of a provider', () => {
  test('that is used up sends requests to the next one, exactly and without a request', async () => {
    // A call reserves 1,000 and uses 750.
    const limits = { providerTokens: { anthropic: 1_800 } };
    for (const question of ['a', 'b', 'c'])
      expect(await call(question, { limits })).toMatchObject({ output: question });
    expect(requestsBy()).toEqual([2, 1]);
    expect((await booked()).map(({ provider }) => provider)).toEqual(['anthropic', 'anthropic', 'openai']);
    expect(failovers).toEqual([['anthropic', 'budget']]);
    const rows = await db.rows('SELECT tokens_used_today AS used FROM users WHERE id = $1', [owner.userId]);
    expect(rows).toEqual([{ used: 2_250 }]);
  });

  test('of 0 leaves it unused', async () => {
    expect(await call('a', { limits: { providerTokens: { anthropic: 0 } } })).toMatchObject({ output: 'a' });
    expect(requestsBy()).toEqual([0, 1]);
  });

  test('does not add to that of the user, whose end waits for the next day', async () => {
    const limits = { userDailyTokens: 1_500, providerTokens: { anthropic: 1_200 } };
    await call('a', { limits });
    await expect(call('b', { limits })).rejects.toBeInstanceOf(BudgetExhausted);
    expect(requestsBy()).toEqual([1, 0]);
  });

  test('of all is followed by the local model if configured, also after another failure', async () => {
    const fallback = portOf('local');
    const local = createPaidModel();
    local.bill = { ...BILL, provider: 'local', costUsd: 0 };
    const { prepare, request } = taskOf('q');
    const task: ModelTask<string> = {
      prepare: (port) =>
        port === fallback ? Promise.resolve(local.prepare('local', { provider: 'local' })) : prepare(port),
      ...(request === undefined ? {} : { request }),
    };
    modelOf('openai').script.push(new ModelError('overloaded', 'no'));
    const limits = { providerTokens: { anthropic: 0 } };
    expect(await call('q', { limits, task, more: { fallback } })).toMatchObject({ output: 'local' });
    // Failures alone are waited for.
    modelOf('openai').script.push(new ModelError('overloaded', 'no'));
    modelOf('anthropic').script.push(new ModelError('overloaded', 'no'));
    await expect(call('q', { task, more: { fallback } })).rejects.toMatchObject({ kind: 'overloaded' });
  });
});

describe('a request that no provider answers', () => {
  test.each<readonly [string, ModelError, ModelError, object]>([
    [
      'the shorter wait',
      new ModelError('rate_limited', 'a', { retryAfterMs: 90_000 }),
      new ModelError('overloaded', 'b', { retryAfterMs: 5_000 }),
      { kind: 'overloaded', retryAfterMs: 5_000 },
    ],
    [
      'a failure that passes before one of the settings',
      new ModelError('unauthorised', 'a'),
      new ModelError('rate_limited', 'b', { retryAfterMs: 90_000 }),
      { kind: 'rate_limited' },
    ],
    [
      'a failure that passes before one that remains, so that the window is not parked',
      new ModelError('invalid_request', 'a'),
      new ModelError('unavailable', 'b'),
      { kind: 'unavailable' },
    ],
    [
      'the first failure if all remain',
      new ModelError('invalid_request', 'a'),
      new ModelError('refused', 'b', { usage: [BILL] }),
      { kind: 'invalid_request', message: 'a', usage: [BILL] },
    ],
  ])('fails with %s', async (_, first, second, expected) => {
    modelOf('anthropic').script.push(first);
    modelOf('openai').script.push(second);
    await expect(call('q')).rejects.toMatchObject(expected);
  });

  test('is not parked while a paused provider may still answer it', async () => {
    modelOf('anthropic').script.push(new ModelError('rate_limited', 'a', { retryAfterMs: 50_000 }));
    await call('q');
    modelOf('openai').script.push(new ModelError('refused', 'b'));
    const error: unknown = await call('p').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ kind: 'rate_limited', message: 'a' });
    expect(requestsBy()).toEqual([1, 2]);
  });
});

test('a provider that may not read the sessions of the user is not used', async () => {
  const more: Partial<ModelCallDependencies> = { mayRead: (provider) => Promise.resolve(provider !== 'anthropic') };
  expect(await call('q', { more })).toMatchObject({ usage: [{ provider: 'openai' }] });
  expect(requestsBy()).toEqual([0, 1]);
  // Its refusal never ends, so that it does not delay the end of a request that no other provider can answer.
  modelOf('openai').script.push(new ModelError('refused', 'no'));
  await expect(call('p', { more })).rejects.toMatchObject({ kind: 'refused' });
  ports.delete('openai');
  await expect(call('p', { more })).rejects.toMatchObject({ kind: 'unauthorised' });
  expect(failovers).toEqual([]);
});
