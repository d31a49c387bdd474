import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type {
  BatchOutcome,
  ModelBatches,
  ModelPort,
  PreparedCall,
  TopicSummaryDraft,
} from '../../../domain/ports/model.ts';
import { sendCall, failure, LARGE, live, modelAt, outputOf, rows, SMALL, topic, window } from './claude-fixture.ts';
import { type MessagesServer, startMessagesServer } from './messages-server.ts';

const START = Date.parse('2026-03-02T09:00:00Z');
const HOUR_MS = 3_600_000;
let now = START;
let server: MessagesServer;
let model: ModelPort;
let batches: ModelBatches;
beforeEach(async () => {
  now = START;
  server = await startMessagesServer({ now: () => now });
  server.otherwise(() => ({ kind: 'message', answer: topic }));
  model = modelAt(server, { now: () => now });
  if (model.batches === null) throw new Error('the model has no batches');
  batches = model.batches;
});
afterEach(() => server.close());

function prepared(): Promise<PreparedCall<TopicSummaryDraft>> {
  return model.prepareWindow(window, live());
}

/** A batch of so many calls with the ids "w1", "w2" and so on. */
async function submitted(count: number): Promise<string> {
  const calls = await Promise.all(
    Array.from({ length: count }, async (_, index) => ({ customId: `w${String(index + 1)}`, call: await prepared() })),
  );
  return (await batches.submit(calls, live())).batchId;
}

async function outcomes(batchId: string): Promise<readonly BatchOutcome[]> {
  const all: BatchOutcome[] = [];
  for await (const outcome of batches.results(batchId, live())) all.push(outcome);
  return all.sort((a, b) => a.customId.localeCompare(b.customId));
}

describe('a batch', () => {
  it('is submitted, polled, read and billed at half the price', async () => {
    server.planBatches({ looks: 1 });
    const batchId = await submitted(2);
    expect(await batches.poll(batchId, live())).toEqual({
      batchId,
      ended: false,
      createdAtMs: START,
      expiresAtMs: START + 24 * HOUR_MS,
      calls: 2,
      processing: 2,
    });
    expect(await batches.poll(batchId, live())).toMatchObject({ ended: true, calls: 2, processing: 0 });
    const [first, second] = await outcomes(batchId);
    if (first?.kind !== 'answered' || second?.kind !== 'answered') throw new Error('not answered');
    expect(first).toMatchObject({ customId: 'w1', stopped: null, usage: { batch: true, model: LARGE.name } });
    const call = await prepared();
    expect(outputOf({ reading: call.read(second.text) }).content).toBe('C');
    expect(server.bill()).toBeCloseTo(first.usage.costUsd + second.usage.costUsd, 12);
    // The same call in direct mode, with the prefix cached as for the call of the two that read it.
    const cached = [first, second].find(({ usage }) => usage.tokensCached > 0)?.usage;
    const direct = (await sendCall(prepared())).usage;
    expect(direct).toMatchObject({ tokensCached: cached?.tokensCached, batch: false });
    expect(Number(cached?.costUsd) / direct.costUsd).toBeCloseTo(0.5, 10);
  });

  it('returns each outcome: refused, truncated, failed, expired, cancelled', async () => {
    const parts = [
      { kind: 'message', answer: '', stopReason: 'refusal' },
      { kind: 'message', answer: '{"ti', stopReason: 'max_tokens' },
      { kind: 'error', status: 529, type: 'overloaded_error' },
      { kind: 'error', status: 400, type: 'invalid_request_error' },
      'expired',
      'canceled',
      undefined,
    ] as const;
    server.planBatches({ part: (_, index) => parts[index] });
    const batchId = await submitted(parts.length);
    await batches.poll(batchId, live());
    expect(await outcomes(batchId)).toMatchObject([
      { kind: 'answered', stopped: 'refused' },
      { kind: 'answered', stopped: 'truncated', text: '{"ti' },
      { kind: 'failed', error: 'overloaded' },
      { kind: 'failed', error: 'invalid_request' },
      { kind: 'expired' },
      { kind: 'cancelled' },
      { kind: 'answered', stopped: null },
    ]);
  });

  it('that is not done in a day expires', async () => {
    server.planBatches({ looks: 1_000 });
    const batchId = await submitted(2);
    now += 23 * HOUR_MS;
    expect((await batches.poll(batchId, live())).ended).toBe(false);
    now += HOUR_MS;
    expect((await batches.poll(batchId, live())).ended).toBe(true);
    expect((await outcomes(batchId)).map(({ kind }) => kind)).toEqual(['expired', 'expired']);
    expect(server.bill()).toBe(0);
  });

  it('can be cancelled', async () => {
    server.planBatches({ looks: 1_000 });
    const batchId = await submitted(1);
    await batches.cancel(batchId, live());
    expect((await batches.poll(batchId, live())).ended).toBe(true);
    expect(await outcomes(batchId)).toEqual([{ customId: 'w1', kind: 'cancelled' }]);
  });

  it('whose creation response was lost is found again', async () => {
    await submitted(1);
    now += HOUR_MS;
    server.planBatches({ loseAnswer: true });
    expect((await failure(submitted(3))).kind).toBe('unavailable');
    const found = await batches.since(START + 1, live());
    expect(found).toMatchObject([{ calls: 3, createdAtMs: START + HOUR_MS }]);
    expect(await batches.since(START, live())).toHaveLength(2);
  });

  it('maps a response to its tier by the provider’s model name, also a long one', async () => {
    const small = await model.prepareWindow({ ...window, rows: rows.slice(0, 1) }, live());
    const { batchId } = await batches.submit([{ customId: 'a', call: small }], live());
    await batches.poll(batchId, live());
    const dated = modelAt(server, { small: { ...SMALL, name: 'claude-haiku' } }).batches;
    if (dated === null) throw new Error('no batches');
    for await (const outcome of dated.results(batchId, live()))
      expect(outcome).toMatchObject({ usage: { model: 'claude-haiku', costUsd: expect.closeTo(server.bill(), 12) } });
  });
});

describe('a batch is rejected', () => {
  it.each<readonly [string, readonly string[]]>([
    ['without calls', []],
    ['with an id twice', ['a', 'a']],
    ['with an empty id', ['']],
    ['with a long id', ['a'.repeat(65)]],
    ['with an id of other characters', ['a/b']],
  ])('%s, before anything is sent', async (_, ids) => {
    const call = await prepared();
    const calls = ids.map((customId) => ({ customId, call }));
    expect((await failure(batches.submit(calls, live()))).kind).toBe('invalid_request');
    expect(server.log.filter(({ endpoint }) => endpoint === 'batch-create')).toHaveLength(0);
  });

  it('with a call of another port', async () => {
    const call = await modelAt(server).prepareWindow(window, live());
    expect((await failure(batches.submit([{ customId: 'a', call }], live()))).kind).toBe('invalid_request');
  });

  it('by an invalid id', async () => {
    expect((await failure(batches.poll('../../secrets', live()))).kind).toBe('invalid_request');
  });
});

describe('results', () => {
  it('that break off are unavailable after the complete ones', async () => {
    server.planBatches({ breakOffAfter: 2 });
    const batchId = await submitted(4);
    await batches.poll(batchId, live());
    const seen: string[] = [];
    const reading = async () => {
      for await (const { customId } of batches.results(batchId, live())) seen.push(customId);
    };
    expect((await failure(reading())).kind).toBe('unavailable');
    expect(seen).toEqual(['w4', 'w3']);
    expect((await outcomes(batchId)).map(({ customId }) => customId)).toEqual(['w1', 'w2', 'w3', 'w4']);
  });

  it.each<readonly [string, Parameters<MessagesServer['fault']>[1], string]>([
    ['a line that is no result', { kind: 'raw', body: '{"custom_id": 7}\n' }, 'unavailable'],
    ['a line that is too long', { kind: 'raw', body: 'x'.repeat(5 * 1024 * 1024) }, 'unavailable'],
    ['a stream that stalls', { kind: 'stall' }, 'timeout'],
    ['an overload', { kind: 'error', status: 529, type: 'overloaded_error' }, 'overloaded'],
    ['a refusal of the key', { kind: 'error', status: 401, type: 'authentication_error' }, 'unauthorised'],
  ])('%s', async (_, reply, kind) => {
    const reader = modelAt(server, reply.kind === 'stall' ? { timeoutMs: 300 } : {}).batches;
    if (reader === null) throw new Error('no batches');
    const batchId = await submitted(1);
    await batches.poll(batchId, live());
    server.fault('batch-results', reply);
    const read = async () => {
      for await (const outcome of reader.results(batchId, live())) expect(outcome).toBeUndefined();
    };
    expect((await failure(read())).kind).toBe(kind);
  });

  it('of a running batch are an error', async () => {
    server.planBatches({ looks: 5 });
    const batchId = await submitted(1);
    await expect(outcomes(batchId)).rejects.toThrow('404');
  });

  it('stop when the caller does', async () => {
    const batchId = await submitted(3);
    await batches.poll(batchId, live());
    for await (const outcome of batches.results(batchId, live())) {
      expect(outcome.customId).toBe('w3');
      break;
    }
    const reason = new Error('stopped');
    await expect(batches.results(batchId, AbortSignal.abort(reason))[Symbol.asyncIterator]().next()).rejects.toBe(
      reason,
    );
  });
});

it.each(['batch-create', 'batch-look', 'batch-list', 'batch-cancel'] as const)(
  'a fault of %s has its kind and its pause',
  async (endpoint) => {
    const batchId = await submitted(1);
    server.fault(endpoint, { kind: 'error', status: 429, type: 'rate_limit_error', headers: { 'retry-after': '3' } });
    const call = { customId: 'a', call: await prepared() };
    const error = await failure(
      {
        'batch-create': () => batches.submit([call], live()),
        'batch-look': () => batches.poll(batchId, live()),
        'batch-list': () => batches.since(0, live()),
        'batch-cancel': () => batches.cancel(batchId, live()),
      }[endpoint](),
    );
    expect(error).toMatchObject({ kind: 'rate_limited', retryAfterMs: 3_000 });
  },
);

it('rejects an invalid batch or list: an empty list would be paid for twice', async () => {
  const call = { customId: 'a', call: await prepared() };
  const nonsense = { kind: 'raw', body: '{"id": "a b"}' } as const;
  server.fault('batch-create', nonsense);
  expect((await failure(batches.submit([call], live()))).kind).toBe('unavailable');
  server.fault('batch-look', nonsense);
  expect((await failure(batches.poll('msgbatch_1', live()))).kind).toBe('unavailable');
  server.fault('batch-list', nonsense);
  expect((await failure(batches.since(0, live()))).kind).toBe('unavailable');
});
