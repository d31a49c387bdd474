import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { authoredReply } from '../models/claude/author.ts';
import { providerSettings, startMessagesServer } from '../models/claude/messages-server.ts';
import type { BatchPlan, MessagesRequest, MessagesServer, Reply } from '../models/claude/messages-server.ts';
import { sessionOf, settled } from '../setup/demo-session.ts';
import type { SessionAnswer } from '../setup/demo-session.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { captured, smallSession } from '../setup/small-session.ts';
import { until, untilTrue } from '../setup/until.ts';

// Sessions whose windows are in provider batches, from their events until they are settled, with every failure on the way. Batches gather for an hour
// here: they are sent when they have the windows that a test expects in one, however long these take.

let provider: MessagesServer;
let instance: TestInstance;
/** Calls of the provider before the test. */
let before = 0;

beforeAll(async () => {
  provider = await startMessagesServer({ author: true });
  instance = await startTestInstance({
    ...providerSettings(provider),
    RECOLLECT_MODEL_MODE: 'batch',
    RECOLLECT_MODEL_BATCH_GATHER_MS: '3600000',
    RECOLLECT_MODEL_BATCH_POLL_MS: '200',
    RECOLLECT_SESSION_RETRY_MS: '300',
    // All sessions here have the same texts: cached responses would save the calls that the tests count.
    RECOLLECT_MODEL_CACHE_DAYS: '0',
  });
  await instance.startWorker();
});
afterAll(async () => {
  await instance.close();
  await provider.close();
});
beforeEach(() => {
  before = provider.log.length;
});

const calls = () => provider.log.slice(before);
const batchesMade = () => calls().filter((call) => call.endpoint === 'batch-create' && call.customId === null).length;
const answeredParts = () => calls().filter((call) => call.customId !== null && call.usd > 0).length;

const gatheringSchema = z.object({ n: z.int(), calls: z.int() });

/** Sends the batch that gathers if it has so many windows. */
async function sendWith(windows: number): Promise<void> {
  const [row] = await instance.rows(
    `SELECT b.n, count(*)::integer AS calls FROM model_batches b JOIN model_batch_calls c ON c.batch_id = b.id WHERE b.state = 'gathering' GROUP BY 1`,
  );
  if (row === undefined) return;
  const { n, calls } = gatheringSchema.parse(row);
  // Refused before its workflow has started.
  if (calls === windows) await instance.call('POST', `/jobs/batch.${n}/retry`);
}

/** Awaits settled sessions, and sends each batch once it has a window of each of them. */
async function settledBySending(names: readonly string[]): Promise<SessionAnswer[]> {
  await untilTrue(async () => {
    await sendWith(names.length);
    const sessions = await Promise.all(names.map((name) => sessionOf(instance, `test:${name}`)));
    return sessions.every(({ phase }) => phase === 'settled');
  }, 180_000);
  return Promise.all(names.map((name) => settled(instance, `test:${name}`)));
}

/** Runs sessions to their end and returns the usage of their windows. */
async function run(
  names: readonly string[],
  ...plans: readonly BatchPlan[]
): Promise<readonly z.output<typeof ledgerRow>[]> {
  provider.planBatches(...plans);
  for (const name of names) await captured(instance, smallSession(name));
  await settledBySending(names);
  const rows = await instance.rows(
    `SELECT s.external_id AS session, u.batch, u.cost_usd::float8 AS usd FROM usage_ledger u JOIN sessions s ON s.id = u.session_id
      WHERE s.external_id = ANY ($1) AND u.operation = 'summarise_window' ORDER BY u.id`,
    [names],
  );
  return z.array(ledgerRow).parse(rows);
}
const ledgerRow = z.object({ session: z.string(), batch: z.boolean(), usd: z.number() });

async function topics(name: string): Promise<number> {
  return instance.count(
    "summaries m JOIN sessions s ON s.id = m.session_id WHERE s.external_id = $1 AND m.type = 'topic'",
    [name],
  );
}

async function reservations(): Promise<number> {
  return instance.count('usage_reservations');
}

describe('batch mode', { timeout: 240_000 }, () => {
  test('windows of several sessions are one batch at half the price; sessions wait for it, visible', async () => {
    provider.planBatches({ looks: 4 });
    const names = ['one', 'two', 'three'];
    for (const name of names) await captured(instance, smallSession(name));
    await until(async () => {
      const { waiting_reason: waiting, pending, phase } = await sessionOf(instance, 'test:one');
      return waiting === 'BatchPending' && phase === 'summarising' && pending.summarise === 1 ? true : undefined;
    });
    const jobs = await until(async () => {
      const { body } = await instance.call('GET', '/jobs?kind=batch');
      const { data } = z.object({ data: z.array(z.looseObject({ id: z.string(), state: z.string() })) }).parse(body);
      return data.length > 0 ? data : undefined;
    });
    expect(jobs[0]?.id).toMatch(/^batch\.\d+$/);
    await settledBySending(names);
    expect(batchesMade()).toBe(1);
    expect(await Promise.all(names.map(topics))).toEqual([1, 1, 1]);
    const rows = await instance.rows(
      `SELECT sum(cost_usd)::float8 AS usd, bool_and(batch) AS batch, count(*)::integer AS calls FROM usage_ledger WHERE operation = 'summarise_window'`,
    );
    const billed = calls().filter((call) => call.customId !== null);
    expect(rows).toMatchObject([{ batch: true, calls: 3 }]);
    expect(z.object({ usd: z.number() }).parse(rows[0]).usd).toBeCloseTo(
      billed.reduce((sum, call) => sum + call.usd, 0),
      5,
    );
    expect(await reservations()).toBe(0);
  });

  test('retries expired, cancelled and transiently failed requests in another batch', async () => {
    const overloaded = { kind: 'error', status: 529, type: 'overloaded_error' } as const;
    const fates = ['expired', 'canceled', overloaded] as const;
    const booked = await run(['late', 'ended', 'busy'], { part: (_id, index) => fates[index] });
    expect(batchesMade()).toBe(2);
    expect(answeredParts()).toBe(3);
    expect(booked).toHaveLength(3);
    expect(await Promise.all(['late', 'ended', 'busy'].map(topics))).toEqual([1, 1, 1]);
    expect(await reservations()).toBe(0);
  });

  test('an unusable response is repaired by one direct call; both are recorded', async () => {
    const broken = { kind: 'message', answer: { title: 'no such shape' } } as const;
    const booked = await run(['repaired'], { part: () => broken });
    expect(booked.map(({ batch }) => batch)).toEqual([true, false]);
    expect(await topics('repaired')).toBe(1);
  });

  test('stores a response without the characters that PostgreSQL rejects', async () => {
    const odd = (request: MessagesRequest): Reply => {
      const good = authoredReply(request);
      if (good.kind !== 'message' || !JSON.stringify(request.output_config ?? {}).includes('"items"')) return good;
      const answer = JSON.stringify(good.answer);
      return { ...good, answer: answer.replace('"title":"', String.raw`"title":"\u0000\ud83d `) };
    };
    provider.otherwise(odd);
    const booked = await run(['odd']);
    provider.otherwise(authoredReply);
    expect(booked.map(({ batch }) => batch)).toEqual([true]);
    expect(await topics('odd')).toBe(1);
    expect(await reservations()).toBe(0);
  });

  test('releases a reservation that could not be stored with its call', async () => {
    // Sequences are not rolled back: only the first attempt fails.
    await instance.db.owner.query(
      `CREATE SEQUENCE attempts; GRANT USAGE ON SEQUENCE attempts TO recollect_app;
       CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN IF nextval('attempts') = 1 THEN RAISE EXCEPTION 'x' USING ERRCODE = '22P02'; END IF; RETURN NEW; END $$;
       CREATE TRIGGER fails BEFORE UPDATE OF reservation_id ON model_batch_calls FOR EACH ROW WHEN (NEW.reservation_id IS NOT NULL) EXECUTE FUNCTION fails()`,
    );
    expect(await run(['unstored'])).toHaveLength(1);
    await instance.db.owner.query('DROP TRIGGER fails ON model_batch_calls');
    expect(await instance.value('SELECT last_value::integer AS value FROM attempts')).toBeGreaterThan(1);
    expect(await reservations()).toBe(0);
  });

  test('parks the window with the reason after a refusal and a failed repair', async () => {
    const refused = { kind: 'message', answer: 'no', stopReason: 'refusal' } as const;
    // Parked windows get more attempts: each is a rejected part and a rejected repair.
    provider.otherwise((request) =>
      JSON.stringify(request.output_config ?? {}).includes('"items"')
        ? refused
        : { kind: 'message', answer: '{}', stopReason: 'refusal' },
    );
    await captured(instance, smallSession('refused'));
    const [session] = await settledBySending(['refused']);
    provider.otherwise(authoredReply);
    expect(session).toMatchObject({ counts: { windows_parked: 1 }, last_error: 'ModelRefused' });
    const rows = await instance.rows<{ error: string; attempts: number }>(
      "SELECT w.error, w.attempts FROM windows w JOIN sessions s ON s.id = w.session_id WHERE s.external_id = 'refused'",
    );
    expect(rows).toEqual([{ error: expect.stringMatching(/^ModelRefused: /), attempts: 3 }]);
    expect(await reservations()).toBe(0);
  });

  test('a batch whose creation response was lost is found again: nothing is sent or paid twice', async () => {
    const booked = await run(['lost'], { loseAnswer: true });
    expect(batchesMade()).toBe(1);
    expect(booked).toHaveLength(1);
    expect(await topics('lost')).toBe(1);
  });

  test('results that break off are read again, and nothing is booked twice', async () => {
    const names = ['cut-1', 'cut-2', 'cut-3'];
    const booked = await run(names, { breakOffAfter: 1 });
    expect(booked).toHaveLength(3);
    expect(answeredParts()).toBe(3);
    expect(await Promise.all(names.map(topics))).toEqual([1, 1, 1]);
    expect(await reservations()).toBe(0);
  });
});
