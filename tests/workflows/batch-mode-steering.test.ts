import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { providerSettings, startMessagesServer } from '../models/claude/messages-server.ts';
import type { MessagesServer } from '../models/claude/messages-server.ts';
import { sessionOf, settled } from '../setup/demo-session.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { captured, smallSession } from '../setup/small-session.ts';
import { until, untilTrue } from '../setup/until.ts';

// What users can do about windows in a provider batch. Batches gather for an hour here: nothing moves by itself.

let provider: MessagesServer;
let instance: TestInstance;

beforeAll(async () => {
  provider = await startMessagesServer({ author: true });
  instance = await startTestInstance({
    ...providerSettings(provider),
    RECOLLECT_MODEL_MODE: 'batch',
    RECOLLECT_MODEL_BATCH_GATHER_MS: '3600000',
    RECOLLECT_MODEL_BATCH_POLL_MS: '300',
    RECOLLECT_MODEL_CACHE_DAYS: '0',
  });
  await instance.startWorker();
});
afterAll(async () => {
  await instance.close();
  await provider.close();
});
function quota(tokens: number) {
  return instance.write('UPDATE users SET daily_token_quota = $1', [tokens]);
}

const jobSchema = z.looseObject({
  id: z.string(),
  state: z.string(),
  phase: z.string().nullable(),
  waiting_reason: z.string().nullable(),
});
type Job = z.output<typeof jobSchema>;

/** Returns the newest batch, once `wanted` accepts it. */
function batchWhen(wanted: (job: Job) => boolean): Promise<Job> {
  return until(
    async () => {
      const { body } = await instance.call('GET', '/jobs?kind=batch&limit=1');
      const [job] = z.object({ data: z.array(jobSchema) }).parse(body).data;
      return job !== undefined && wanted(job) ? job : undefined;
    },
    120_000,
    'the batch',
  );
}

/** Batches of earlier tests: the list of jobs may still show one as it was. */
const known = new Set<string>();

/** Captures a session and returns the gathering batch of its window. */
async function gathered(name: string): Promise<Job> {
  await captured(instance, smallSession(name));
  await untilTrue(async () => (await sessionOf(instance, `test:${name}`)).waiting_reason === 'BatchPending');
  const job = await batchWhen(({ id, state, phase }) => !known.has(id) && state === 'running' && phase === 'gathering');
  known.add(job.id);
  return job;
}

/** Returns the batch that gathers the windows of a former one. */
async function gatheredAgain(former: Job): Promise<Job> {
  const job = await batchWhen(({ id, phase }) => id !== former.id && phase === 'gathering');
  known.add(job.id);
  return job;
}

async function retry(job: Job): Promise<void> {
  expect((await instance.call('POST', `/jobs/${job.id}/retry`)).status).toBe(202);
}

describe('a batch', { timeout: 240_000 }, () => {
  test('that gathers is sent on request', async () => {
    const job = await gathered('hurried');
    await retry(job);
    const { counts } = await settled(instance, 'test:hurried');
    expect(counts).toMatchObject({ summaries: expect.any(Number), windows_parked: 0 });
    // Its workflow ends after it has returned the windows.
    await untilTrue(async () => (await instance.call('POST', `/jobs/${job.id}/retry`)).status === 409);
  });

  test('that is ended lets its windows wait for another one', async () => {
    provider.planBatches({ looks: 1_000 });
    const job = await gathered('ended');
    await retry(job);
    await batchWhen(({ id, phase }) => id === job.id && phase === 'waiting');
    expect((await instance.call('POST', `/jobs/${job.id}/cancel`)).status).toBe(202);
    await retry(await gatheredAgain(job));
    await settled(instance, 'test:ended');
    const rows = await instance.rows<{ batch: boolean }>(
      "SELECT u.batch FROM usage_ledger u JOIN sessions s ON s.id = u.session_id WHERE s.external_id = 'ended' AND u.operation = 'summarise_window'",
    );
    expect(rows).toEqual([{ batch: true }]);
  });

  test('whose users have no tokens left waits visibly, and continues with a higher quota', async () => {
    await instance.write(
      "UPDATE users SET tokens_used_today = 1000000, tokens_used_on = (now() AT TIME ZONE 'UTC')::date",
    );
    const job = await gathered('spent');
    await retry(job);
    await batchWhen(({ id, waiting_reason: reason }) => id === job.id && reason === 'BudgetExhausted');
    expect(await sessionOf(instance, 'test:spent')).toMatchObject({ pending: { summarise: 1 } });
    await quota(2_000_000);
    await retry(job);
    await settled(instance, 'test:spent');
    const rows = await instance.rows('SELECT 1 FROM usage_reservations');
    expect(rows).toEqual([]);
  });

  test('does not delay a summary that is requested now', async () => {
    const job = await gathered('requested');
    const { body } = await instance.call('POST', '/sessions/test:requested/summaries?wait=60');
    expect(z.looseObject({ summary_id: z.string() }).parse(body).summary_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(await sessionOf(instance, 'test:requested')).toMatchObject({ status: 'active', pending: { summarise: 1 } });
    await retry(job);
    await settled(instance, 'test:requested');
    // The batch's summary belongs to the session, too.
    const rows = await instance.rows<{ version: number; published: boolean }>(
      "SELECT m.version, m.published FROM summaries m JOIN sessions s ON s.id = m.session_id WHERE s.external_id = 'requested' AND m.type = 'session' ORDER BY m.version",
    );
    expect(rows).toEqual([
      { version: 1, published: false },
      { version: 2, published: true },
    ]);
  });

  test('that the provider does not know returns its windows', async () => {
    provider.planBatches({ looks: 1_000 });
    const job = await gathered('unknown');
    await retry(job);
    await batchWhen(({ id, phase }) => id === job.id && phase === 'waiting');
    await instance.write("UPDATE model_batches SET provider_batch_id = 'msgbatch_unknown' WHERE state = 'sent'");
    await retry(job);
    await retry(await gatheredAgain(job));
    const { counts } = await settled(instance, 'test:unknown');
    expect(counts.windows_parked).toBe(0);
  });

  test('whose session forgot something meanwhile is not used', async () => {
    const forgot = Promise.withResolvers<void>();
    provider.planBatches({ ends: forgot.promise });
    const job = await gathered('forgot');
    await retry(job);
    await batchWhen(({ id, phase }) => id === job.id && phase === 'waiting');
    const forgotten = await instance.call('DELETE', '/events/tool:forgot-call-2?session=test:forgot');
    expect(forgotten.status).toBeLessThan(300);
    forgot.resolve();
    // At once, unless it was just polled.
    await instance.call('POST', `/jobs/${job.id}/retry`);
    await retry(await gatheredAgain(job));
    await settled(instance, 'test:forgot');
    const rows = await instance.rows<{ text: string }>(
      "SELECT m.title || m.content AS text FROM summaries m JOIN sessions s ON s.id = m.session_id WHERE s.external_id = 'forgot'",
    );
    expect(rows.length).toBeGreaterThan(1);
    for (const { text } of rows) expect(text).not.toContain('banker');
  });
});
