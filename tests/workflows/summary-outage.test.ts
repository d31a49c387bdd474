import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { authoredReply } from '../models/claude/author.ts';
import { providerSettings, startMessagesServer } from '../models/claude/messages-server.ts';
import type { MessagesRequest, MessagesServer, Reply } from '../models/claude/messages-server.ts';
import { sessionOf } from '../setup/demo-session.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { captured, smallSession } from '../setup/small-session.ts';
import { untilTrue } from '../setup/until.ts';

const SESSION = 'test:requested';
const jobSchema = z.object({ job: z.looseObject({ id: z.string(), waiting_reason: z.string().nullable() }) });
let provider: MessagesServer;
let instance: TestInstance;

/** The provider writes windows, and refuses summaries of sessions for an hour. */
function refusingSessions(request: MessagesRequest): Reply {
  return JSON.stringify(request.output_config ?? {}).includes('"nextSteps"')
    ? { kind: 'error', status: 429, type: 'rate_limit_error', headers: { 'retry-after': '3600' } }
    : authoredReply(request);
}

beforeAll(async () => {
  provider = await startMessagesServer();
  provider.otherwise(refusingSessions);
  instance = await startTestInstance({ ...providerSettings(provider), RECOLLECT_MODEL_CACHE_DAYS: '0' });
  await instance.startWorker();
});
afterAll(async () => {
  await instance.close();
  await provider.close();
});

async function reasonOfJob(id: string): Promise<string | null> {
  return jobSchema.parse((await instance.call('GET', `/jobs/${id}`)).body).job.waiting_reason;
}

/** Awaits the summaries of that many windows, and that the session's summary waits. */
async function summaryWaits(windows: number): Promise<void> {
  await untilTrue(
    async () => {
      const { id, waiting_reason: reason } = await sessionOf(instance, SESSION);
      const isWaiting = reason === 'ProviderRateLimited' && (await reasonOfJob(`session.${id}`)) === reason;
      return isWaiting && (await instance.count("windows WHERE state = 'summarised'")) === windows;
    },
    120_000,
    'the summary to wait',
  );
}

test(
  'a requested summary that waits for its provider leaves events consumed and indexed, and comes after the outage',
  { timeout: 240_000 },
  async () => {
    const events = smallSession('requested').filter(({ type }) => type !== 'session.ended');
    await captured(instance, events);
    const { job } = jobSchema.parse((await instance.call('POST', `/sessions/${SESSION}/summaries`)).body);
    await summaryWaits(1);

    const prompt = {
      type: 'prompt',
      host: 'test',
      session_id: 'requested',
      content: 'Are refunds rounded the same way?',
    };
    await captured(instance, [prompt]);
    await untilTrue(
      async () => {
        const [row] = await instance.rows<{ isConsumed: boolean }>(
          `SELECT consumed_seq = last_seq AND EXISTS (SELECT 1 FROM prompts p JOIN embeddings e ON e.resource_id = p.id
             WHERE p.session_id = s.id AND p.content LIKE 'Are refunds%' AND e.state = 'indexed') AS "isConsumed"
           FROM sessions s WHERE s.external_id = 'requested'`,
        );
        return row?.isConsumed === true;
      },
      120_000,
      'the later prompt to be consumed and indexed',
    );

    await summaryWaits(2);
    provider.otherwise(authoredReply);
    expect((await instance.call('POST', `/jobs/${job.id}/retry`)).status).toBe(202);
    await untilTrue(
      async () => (await instance.count("summaries WHERE type = 'session'")) === 1,
      120_000,
      'the requested summary',
    );
    expect(await sessionOf(instance, SESSION)).toMatchObject({ status: 'active', pending: { summarise: 0 } });
    await untilTrue(async () => (await reasonOfJob(job.id)) === null, 120_000, 'the job to be shown as not waiting');
  },
);

test('a request that waits while its session is cancelled is answered as not done', { timeout: 240_000 }, async () => {
  provider.otherwise(refusingSessions);
  await captured(
    instance,
    smallSession('cancelled').filter(({ type }) => type !== 'session.ended'),
  );
  const answer = instance.call('POST', '/sessions/test:cancelled/close?wait=60');
  const waits = async () => (await sessionOf(instance, 'test:cancelled')).waiting_reason === 'ProviderRateLimited';
  await untilTrue(waits, 60_000, 'the session to wait');
  const { id } = await sessionOf(instance, 'test:cancelled');
  expect((await instance.call('POST', `/jobs/session.${id}/cancel`)).status).toBe(202);
  expect(await answer).toMatchObject({ status: 202, body: { done: false, summary_id: null, settled: false } });
});
