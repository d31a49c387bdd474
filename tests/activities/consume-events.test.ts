import { describe, expect, test } from 'vitest';
import { NO_TRACER } from '../../domain/ports/tracer.ts';
import type { Tracer } from '../../domain/ports/tracer.ts';
import { createTokenCounter } from '../../models/tokens/token-counter.ts';
import { createSessionActivities } from '../../activities/session/create-session-activities.ts';
import { advanceConsumption, readIntakeSession } from '../../stores/postgres/capture/consumption.ts';
import { workflowIdOf } from '../../workflows/registry.ts';
import { POLICY } from '../replay/session-script.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { sessionOf } from '../setup/demo-session.ts';

const instance = fileInstance();
const searchable: number[] = [];
let indexHints = 0;
let temporalIsDown = false;

function activities(tracer: Tracer = NO_TRACER) {
  return createSessionActivities({
    database: instance.db.database,
    tokens: createTokenCounter(),
    embeddingModel: { name: 'test', dimension: 3 },
    hints: {
      session: () => Promise.resolve(),
      index: () => {
        indexHints += 1;
        return temporalIsDown ? Promise.reject(new Error('unavailable')) : Promise.resolve();
      },
      modelBatch: () => Promise.resolve(),
      reindex: () => Promise.resolve(),
    },
    maxBatchCalls: 10,
    hasBatches: true,
    onSearchable: (seconds) => searchable.push(seconds),
    clock: { now: () => Date.now() },
    tracer,
  });
}

async function capture(
  session: string,
  count: number,
  text: (n: number) => string,
): Promise<{ tenantId: string; sessionId: string }> {
  const body = Array.from({ length: count }, (_, n) => ({
    type: 'observation',
    host: 'test',
    session_id: session,
    text: text(n),
  }));
  const answer = await instance.call('POST', '/events/batch', { body });
  expect(answer.body).toMatchObject({ accepted: count });
  return { tenantId: instance.admin.tenantId, sessionId: (await sessionOf(instance, `test:${session}`)).id };
}

test('bounds the text of a step and reports remaining rows', { timeout: 240_000 }, async () => {
  const ref = await capture('fat', 45, (n) => `${n} ${'long words of one row '.repeat(2_900)}`);
  const steps = activities();
  const first = await steps.consumeEvents({ ...ref, policy: POLICY, closeOpen: null, phase: 'active' });
  expect(first.more).toBe(true);
  expect(first.consumedSeq).toBeGreaterThan(20);
  expect(first.consumedSeq).toBeLessThan(45);
  const second = await steps.consumeEvents({ ...ref, policy: POLICY, closeOpen: null, phase: 'active' });
  expect(second).toMatchObject({ consumedSeq: 45, more: false });
  const unread = await instance.rows('SELECT 1 FROM observations WHERE session_id = $1 AND search IS NULL', [
    ref.sessionId,
  ]);
  expect(unread.length).toBe(0);
});

test('leaves rows that come after the marks of a step were read to the next step', async () => {
  const ref = await capture('traced', 2, (n) => `note ${n}`);
  let later = 2;
  const steps = activities({
    ...NO_TRACER,
    async unit(name, readMarks, work, attributes) {
      await readMarks();
      await capture('traced', 1, () => `note ${(later += 1)}, which comes meanwhile`);
      return NO_TRACER.unit(name, readMarks, work, attributes);
    },
  });
  const consume = () => steps.consumeEvents({ ...ref, policy: POLICY, closeOpen: null, phase: 'active' });
  expect(await consume()).toMatchObject({ consumedSeq: 2, more: true });
  expect(await consume()).toMatchObject({ consumedSeq: 3, more: true });
});

test('records the phase and hints the index; leaves a failed hint to the workflow', async () => {
  const ref = await capture('shown', 3, (n) => `note ${n}`);
  const steps = activities();
  indexHints = 0;
  temporalIsDown = true;
  const first = await steps.consumeEvents({ ...ref, policy: POLICY, closeOpen: null, phase: 'summarising' });
  expect(first.isIndexRequested).toBe(true);
  const row = await instance.rows('SELECT phase, workflow_id FROM sessions WHERE id = $1', [ref.sessionId]);
  expect(row[0]).toEqual({
    phase: 'summarising',
    workflow_id: workflowIdOf('session', ref.tenantId, ref.sessionId),
  });
  temporalIsDown = false;
  await capture('shown', 1, () => 'one more note');
  expect(
    (await steps.consumeEvents({ ...ref, policy: POLICY, closeOpen: null, phase: 'active' })).isIndexRequested,
  ).toBe(false);
  expect(indexHints).toBe(2);
});

test('sends no hint for chunks that the index workflow finds by itself: others wait, and vectors were written just now', async () => {
  const steps = activities();
  const consume = async (session: string) => {
    const ref = await capture(session, 2, (n) => `${session} ${n}`);
    indexHints = 0;
    const { isIndexRequested } = await steps.consumeEvents({
      ...ref,
      policy: POLICY,
      closeOpen: null,
      phase: 'active',
    });
    expect(isIndexRequested).toBe(false);
    return indexHints;
  };
  // In an hour (`-1 hour`) is a moment ago on a busy machine, too.
  const wroteVectors = (ago: string) =>
    instance.write(
      `INSERT INTO embedding_counts (tenant_id, model, indexed_at) VALUES ($1, 'test', now() - $2::interval)
       ON CONFLICT (tenant_id, model) DO UPDATE SET indexed_at = excluded.indexed_at`,
      [instance.admin.tenantId, ago],
    );
  const waitedFor = (ago: string) => instance.write('UPDATE embeddings SET created_at = now() - $1::interval', [ago]);
  expect(await consume('before the first vector')).toBe(1);
  await wroteVectors('-1 hour');
  await waitedFor('-1 hour');
  expect(await consume('with others of the same moment')).toBe(1);
  await waitedFor('3 seconds');
  expect(await consume('while it works')).toBe(0);
  await wroteVectors('1 minute');
  expect(await consume('while it rests')).toBe(1);
  await wroteVectors('-1 hour');
  await instance.write("UPDATE embeddings SET state = 'indexed'");
  expect(await consume('when it has finished')).toBe(1);
});

test('cuts open rows of any size on request', async () => {
  const ref = await capture('requested', 2, (n) => `note ${n}`);
  const steps = activities();
  expect((await steps.consumeEvents({ ...ref, policy: POLICY, closeOpen: null, phase: 'active' })).windowsPending).toBe(
    0,
  );
  expect(
    (await steps.consumeEvents({ ...ref, policy: POLICY, closeOpen: 'requested', phase: 'active' })).windowsPending,
  ).toBe(1);
  const windows = await instance.rows('SELECT reason FROM windows WHERE session_id = $1', [ref.sessionId]);
  expect(windows).toEqual([{ reason: 'requested' }]);
});

test('retries parked windows and failed vectors on request', async () => {
  const ref = await capture('parked', 2, (n) => `note ${n}`);
  const steps = activities();
  await steps.consumeEvents({ ...ref, policy: POLICY, closeOpen: 'requested', phase: 'active' });
  await instance.write("UPDATE windows SET state = 'parked', attempts = 3 WHERE session_id = $1", [ref.sessionId]);
  await instance.write(
    "UPDATE embeddings SET state = 'failed', attempts = 9, failed_at = now() WHERE session_id = $1",
    [ref.sessionId],
  );
  expect(await steps.requeueParked(ref)).toEqual({ requeued: 0 });
  indexHints = 0;
  expect(await steps.requeueParked({ ...ref, again: true })).toEqual({ requeued: 1 });
  expect(indexHints).toBe(1);
  const failed = await instance.rows("SELECT 1 FROM embeddings WHERE session_id = $1 AND state = 'failed'", [
    ref.sessionId,
  ]);
  expect(failed.length).toBe(0);
});

test('does not settle a session with a pending window', async () => {
  const ref = await capture('unsummarised', 1, () => 'a note');
  const steps = activities();
  await steps.consumeEvents({ ...ref, policy: POLICY, closeOpen: 'requested', phase: 'active' });
  expect(await steps.settle(ref)).toEqual({ settled: false });
  await instance.write("UPDATE windows SET state = 'summarised' WHERE session_id = $1", [ref.sessionId]);
  expect(await steps.settle(ref)).toEqual({ settled: true });
});

test('settles a session when nothing new was captured; its pending vectors are still counted', async () => {
  const ref = await capture('settling', 1, () => 'a note');
  const steps = activities();
  expect(await steps.settle(ref)).toEqual({ settled: false });
  await steps.consumeEvents({ ...ref, policy: POLICY, closeOpen: null, phase: 'active' });
  expect(await steps.settle(ref)).toEqual({ settled: true });
  expect(await sessionOf(instance, 'test:settling')).toMatchObject({ phase: 'settled', pending: { embed: 1 } });
  expect(await steps.setCapture({ ...ref, on: false })).toEqual({ on: false });
  const row = await instance.rows('SELECT capture, status FROM sessions WHERE id = $1', [ref.sessionId]);
  expect(row[0]).toEqual({ capture: false, status: 'ended' });
});

describe('a session without inference', () => {
  const consume = (ref: { tenantId: string; sessionId: string }, policy = POLICY) =>
    activities().consumeEvents({ ...ref, policy, closeOpen: null, phase: 'active' });
  const event = (session: string, type: 'prompt' | 'session.ended') => ({
    type,
    host: 'test',
    session_id: session,
    infer: false,
    ...(type === 'prompt' ? { content: `a prompt of ${session}` } : {}),
  });
  const captured = async (session: string, types: readonly ('prompt' | 'session.ended')[]) => {
    const body = types.map((type) => event(session, type));
    expect((await instance.call('POST', '/events/batch', { body })).body).toMatchObject({ accepted: types.length });
    return { tenantId: instance.admin.tenantId, sessionId: (await sessionOf(instance, `test:${session}`)).id };
  };

  test('is settled by the step that consumes its end, twice if the step runs twice', async () => {
    const ref = await captured('imported', ['prompt', 'session.ended']);
    const settled = { infer: false, ended: true, settled: true, windowsPending: 0 };
    expect(await consume(ref)).toMatchObject({ ...settled, isIndexRequested: false });
    expect(await consume(ref)).toMatchObject(settled);
    expect(await sessionOf(instance, 'test:imported')).toMatchObject({
      status: 'ended',
      phase: 'settled',
      pending: { summarise: 0, learn: 0, embed: 1 },
    });
  });

  test('is settled when idle, and not before', async () => {
    const ref = await captured('idle', ['prompt']);
    expect(await consume(ref)).toMatchObject({ idle: false, settled: false });
    expect(await consume(ref, { ...POLICY, idleMs: 0 })).toMatchObject({ idle: true, settled: true });
  });

  test('is not settled if an event was captured after those that the step read', async () => {
    const ref = await captured('late', ['prompt', 'session.ended']);
    const before = await instance.db.database.asTenant(instance.admin.tenantId, (transaction) =>
      readIntakeSession(transaction, ref.sessionId),
    );
    if (before === null) throw new Error('the session is missing');
    await captured('late', ['prompt']);
    const progress = { consumedSeq: before.lastSeq, windowedSeq: before.lastSeq, firstN: before.windows, windows: [] };
    const advance = advanceConsumption(instance.db.database.pool, instance.admin.tenantId, ref.sessionId, before, {
      ...progress,
      settles: true,
      requested: 0,
      shown: null,
    });
    expect(await advance).toMatchObject({ advanced: true, settled: false });
    expect(await sessionOf(instance, 'test:late')).toMatchObject({ status: 'active', phase: 'active' });
  });
});

test('measures a session that ended by an event when it has a vector for each chunk, once', async () => {
  const steps = activities();
  const end = { type: 'session.ended', host: 'test', session_id: 'measured' };
  const ref = await capture('measured', 2, (n) => `note ${n}`);
  const consume = () => steps.consumeEvents({ ...ref, policy: POLICY, closeOpen: null, phase: 'active' });
  searchable.length = 0;
  expect((await instance.post('/events', end)).status).toBe(202);
  await consume();
  // Its chunks wait for their vectors.
  expect(searchable).toEqual([]);
  await instance.write("UPDATE embeddings SET state = 'indexed' WHERE session_id = $1", [ref.sessionId]);
  await consume();
  await consume();
  expect(searchable).toEqual([expect.any(Number)]);
  expect(searchable[0]).toBeGreaterThanOrEqual(0);
  expect(searchable[0]).toBeLessThan(60);
  // It continues and ends again.
  await capture('measured', 1, () => 'another note');
  await consume();
  await instance.write("UPDATE embeddings SET state = 'indexed' WHERE session_id = $1", [ref.sessionId]);
  expect((await instance.post('/events', { ...end, key: 'second end' })).status).toBe(202);
  await consume();
  expect(searchable.length).toBe(2);
});

test('measures no session whose end was captured long after it', async () => {
  const steps = activities();
  searchable.length = 0;
  const ref = await capture('imported', 1, (n) => `note ${n}`);
  const consume = () => steps.consumeEvents({ ...ref, policy: POLICY, closeOpen: null, phase: 'active' });
  await consume();
  await instance.write("UPDATE embeddings SET state = 'indexed' WHERE session_id = $1", [ref.sessionId]);
  const occurredAt = new Date(Date.now() - 3_600_000).toISOString();
  const end = { type: 'session.ended', host: 'test', session_id: 'imported', occurred_at: occurredAt };
  expect((await instance.post('/events', end)).status).toBe(202);
  await consume();
  expect(searchable).toEqual([]);
});
