import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Worker } from '@temporalio/worker';
import { readBundle } from '../../workers/bundle.ts';
import { workflowIdOf } from '../../workflows/registry.ts';
import { finished, sessionOf } from '../setup/demo-session.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { SWEEPS } from '../setup/instance.ts';
import { leadsTo, startOtlpReceiver } from '../setup/otlp-receiver.ts';
import type { OtlpReceiver, ReceivedSpan } from '../setup/otlp-receiver.ts';
import { until, untilTrue } from '../setup/until.ts';
import { startService, startWorkerProcess } from '../setup/worker-process.ts';
import type { ServiceProcess } from '../setup/worker-process.ts';

const PATIENCE_MS = 180_000;
/** Planted in every field that a hook has: none of them may reach a collector or a log. */
const PLANTED = 'zebra-quartz-4711';
let collector: OtlpReceiver;
const instance = fileInstance(async () => {
  collector = await startOtlpReceiver();
  return {
    RECOLLECT_OTLP_ENDPOINT: collector.url,
    RECOLLECT_OTLP_HEADERS: `x-key=${PLANTED}`,
    RECOLLECT_TRACE_SHARE: '1',
    RECOLLECT_LOG_LEVEL: 'error',
  };
}, SWEEPS);
const processes: ServiceProcess[] = [];
const logs = () => processes.map((each) => each.log() + each.errors()).join('\n');

/** Starts a worker in a process of its own: it can be killed, and its log is read. */
async function workerFor(queues: string): Promise<ServiceProcess> {
  const worker = await startWorkerProcess({
    ...instance.environment,
    RECOLLECT_WORKER_QUEUES: queues,
    RECOLLECT_LOG_LEVEL: 'debug',
  });
  processes.push(worker);
  return worker;
}
const EVERY_QUEUE = 'session,model,embedding,sweeps,maintenance,transcripts';

async function hook(session: string, event: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
  const body = { session_id: session, hook_event_name: event, cwd: `/src/${PLANTED}`, ...fields };
  const answer = await instance.call('POST', `/hooks/${event}`, { body });
  if (answer.status !== 200) throw new Error(`not captured: ${answer.status}`);
}
const prompt = (session: string, text: string) => hook(session, 'UserPromptSubmit', { prompt: text });

/** Returns the spans of the requests that captured a session, oldest first. */
async function requestsOf(session: string): Promise<ReceivedSpan[]> {
  const { id } = await sessionOf(instance, `claude-code:${session}`);
  const marks = await instance.rows<{ mark: string }>(
    "SELECT encode(mark, 'hex') AS mark FROM trace_marks WHERE session_id = $1 ORDER BY seq",
    [id],
  );
  const spanIds = [...new Set(marks.map(({ mark }) => mark.slice(32, 48)))];
  return until(async () => {
    const found = spanIds.flatMap((spanId) => collector.spans.find((span) => span.spanId === spanId) ?? []);
    return found.length === spanIds.length ? found : undefined;
  });
}

const ofSession = (name: string, sessionId: string) =>
  collector.named(name).filter(({ attributes }) => attributes['recollect.session_id'] === sessionId);

/** Steps of a session that models process. */
const STEPS = ['consume', 'summarise', 'summarise.session', 'learn'] as const;

afterAll(async () => {
  await Promise.all(processes.map((each) => each.stop()));
  await collector.close();
});

describe('a session', { timeout: 300_000 }, () => {
  const session = 'traced';
  let sessionId: string;

  beforeAll(async () => {
    const worker = await workerFor(EVERY_QUEUE);
    await prompt(session, `We decided to keep times in UTC, because two servers disagreed about ${PLANTED}.`);
    await hook(session, 'PostToolUse', {
      tool_name: 'Edit',
      tool_use_id: 'edit-1',
      tool_input: { file_path: `/src/${PLANTED}/clock.ts`, new_string: PLANTED },
      tool_response: `${PLANTED} was changed`,
    });
    await hook(session, 'SessionEnd', { reason: 'other' });
    await finished(instance, `claude-code:${session}`, PATIENCE_MS);
    sessionId = (await sessionOf(instance, `claude-code:${session}`)).id;
    const vectors = await instance.rows<{ n: number }>(
      'SELECT count(*)::integer AS n FROM embeddings WHERE session_id = $1',
      [sessionId],
    );
    // Before the worker stops: what it has not exported then is dropped after a second.
    await untilTrue(async () => {
      const written = collector.named('embed.batch').filter(({ isFailed }) => !isFailed);
      const chunks = written.reduce((sum, { attributes }) => sum + Number(attributes['recollect.chunks']), 0);
      const steps = STEPS.map((name) => ofSession(name, sessionId).filter(({ isFailed }) => !isFailed));
      return chunks >= (vectors[0]?.n ?? 1) && steps.every((spans) => spans.length > 0);
    }, PATIENCE_MS);
    await worker.stop();
  }, 300_000);

  test('leads from each of its hooks to its last vector', async () => {
    const requests = await requestsOf(session);
    expect(requests).toHaveLength(3);
    const steps = [...STEPS.flatMap((name) => ofSession(name, sessionId)), ...collector.named('embed.batch')];
    for (const { traceId } of requests) {
      for (const name of [...STEPS, 'embed.batch'])
        expect(steps.some((step) => step.name === name && leadsTo(collector.spans, traceId, step))).toBe(true);
      const written = collector.named('weaviate.write').filter((write) => leadsTo(collector.spans, traceId, write));
      expect(written.length).toBeGreaterThan(0);
    }
  });

  test('has its commits and hints in the traces of its hooks', async () => {
    const requests = await requestsOf(session);
    const ids = new Set(requests.map(({ spanId }) => spanId));
    for (const name of ['capture.flush', 'hint'])
      expect(collector.named(name).some(({ parentSpanId = '' }) => ids.has(parentSpanId))).toBe(true);
  });

  test('has model calls by the conventions for generative models, without content', () => {
    const calls = collector.named('model.call');
    expect(calls.map(({ attributes }) => attributes['recollect.operation'])).toEqual(
      expect.arrayContaining(['summarise_window', 'summarise_session', 'extract_learnings']),
    );
    const spanIds = new Set(collector.spans.map(({ spanId }) => spanId));
    for (const { attributes, parentSpanId = '' } of calls) {
      expect(attributes).toMatchObject({ 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'local' });
      expect(typeof attributes['gen_ai.usage.output_tokens']).toBe('number');
      expect(spanIds.has(parentSpanId)).toBe(true);
    }
  });

  test('is named in spans by workflow, run and attempt, and its spans in the lines of its activities', async () => {
    const [step] = ofSession('consume', sessionId);
    const workflowId = workflowIdOf('session', instance.admin.tenantId, sessionId);
    expect(step).toMatchObject({
      service: 'recollect-worker',
      attributes: { 'temporal.workflow_id': workflowId, 'temporal.attempt': 1, 'temporal.activity': 'consumeEvents' },
    });
    const line = logs()
      .split('\n')
      .find((text) => text.includes('"activity":"consumeEvents"') && text.includes(step?.traceId ?? 'none'));
    expect(JSON.parse(line ?? '{}')).toMatchObject({
      msg: 'activity ended',
      workflowId,
      runId: step?.attributes['temporal.run_id'],
      attempt: 1,
      outcome: 'completed',
      trace_id: step?.traceId,
    });
  });

  test('has a history without anything of its traces, which replays', async () => {
    const workflowId = workflowIdOf('session', instance.admin.tenantId, sessionId);
    const history = await instance.temporal.workflow.getHandle(workflowId).fetchHistory();
    const json = JSON.stringify(history);
    const payloads = [...json.matchAll(/"data":"([A-Za-z0-9+/=]+)"/g)].map(([, data = '']) =>
      Buffer.from(data, 'base64').toString('utf8'),
    );
    const text = [json, ...payloads].join('\n');
    expect(text.includes('consumedSeq')).toBe(true);
    const ids = collector.spans.flatMap(({ traceId, spanId }) => [traceId, spanId]);
    expect(ids.filter((id) => text.includes(id))).toEqual([]);
    const results = Worker.runReplayHistories({ workflowBundle: readBundle() }, [{ workflowId, history }]);
    for await (const { error } of results) expect(error).toBeUndefined();
  });

  test('shows the ids of its traces and the times of its steps', async () => {
    const [first] = await requestsOf(session);
    const rows = await instance.rows<{ id: string }>(
      'SELECT id FROM prompts WHERE session_id = $1 ORDER BY seq LIMIT 1',
      [sessionId],
    );
    const answer = await instance.get(`/trace?key=${rows[0]?.id}`);
    expect(answer.body).toMatchObject({
      data: [
        {
          trace_ids: [first?.traceId],
          steps: [
            { name: 'deliver' },
            { name: 'consume' },
            { name: 'index_row' },
            { name: 'window' },
            { name: 'summarise' },
            { name: 'index_summary' },
            expect.anything(),
            expect.anything(),
          ],
        },
      ],
    });
    expect(JSON.stringify(answer.body)).not.toContain('"duration_ms":null');
  });

  test('loses its marks when it is forgotten', async () => {
    const marks = () => instance.count(`trace_marks WHERE session_id = '${sessionId}'`);
    expect(await marks()).toBeGreaterThan(0);
    expect((await instance.delete(`/sessions/${sessionId}`)).status).toBe(200);
    expect(await marks()).toBe(0);
  });
});

test('a search is traced with its stages, and without its query', async () => {
  const before = collector.spans.length;
  expect((await instance.get(`/search?q=${PLANTED}`)).status).toBe(200);
  const search = await until(async () => collector.spans.slice(before).find(({ name }) => name === 'search'));
  const request = await until(async () => collector.spans.find(({ spanId }) => spanId === search.parentSpanId));
  expect(request.name).toBe('GET /api/v1/search');
  const stages = collector.spans.filter(({ parentSpanId }) => parentSpanId === search.spanId);
  expect(stages.map(({ name }) => name)).toEqual(expect.arrayContaining(['search.understand', 'search.recall']));
  for (const { startMs, endMs } of stages) {
    expect(startMs).toBeGreaterThan(search.startMs - 5);
    expect(endMs).toBeLessThan(search.endMs + 5);
  }
});

test(
  '100 hooks of 10 sessions are embedded in one batch that every trace leads to, also if the worker is killed before',
  { timeout: 300_000 },
  async () => {
    const sessions = Array.from({ length: 10 }, (_, n) => `many-${n}`);
    for (let n = 0; n < 10; n += 1)
      for (const session of sessions) await prompt(session, `Row ${n} of ${session} concerns ${PLANTED}`);
    const before = collector.named('embed.batch').length;
    const consuming = await workerFor('session');
    await untilTrue(
      async () =>
        (await instance.count("sessions WHERE external_id LIKE 'many-%' AND consumed_seq = last_seq")) ===
        sessions.length,
      PATIENCE_MS,
    );
    const requests = (await Promise.all(sessions.map(requestsOf))).flat();
    expect(new Set(requests.map(({ traceId }) => traceId)).size).toBe(100);
    await untilTrue(
      async () =>
        requests.every(({ traceId }) =>
          collector.named('consume').some((step) => leadsTo(collector.spans, traceId, step)),
        ),
      PATIENCE_MS,
    );
    await consuming.kill();
    await workerFor(EVERY_QUEUE);
    const batch = await until(
      async () =>
        collector
          .named('embed.batch')
          .slice(before)
          .find(({ attributes }) => attributes['recollect.chunks'] === 100),
      PATIENCE_MS,
    );
    expect(batch.links).toHaveLength(32);
    expect(batch.attributes['recollect.links_omitted']).toBe(100 - 33);
    expect(requests.filter(({ traceId }) => !leadsTo(collector.spans, traceId, batch))).toEqual([]);
    const write = collector.named('weaviate.write').find(({ parentSpanId }) => parentSpanId === batch.spanId);
    expect(write?.attributes['recollect.chunks']).toBe(100);
  },
);

test('an activity that is retried has a span for each attempt', { timeout: 300_000 }, async () => {
  // Sequences are not rolled back: the third attempt, which is the last one of the activity, succeeds.
  await instance.db.owner.query(
    `CREATE SEQUENCE attempts; GRANT USAGE ON SEQUENCE attempts TO recollect_app;
     CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN IF nextval('attempts') <= 2 THEN RAISE EXCEPTION '${PLANTED}' USING ERRCODE = '57P03'; END IF; RETURN NEW; END $$;
     CREATE TRIGGER refuse BEFORE INSERT ON summaries FOR EACH ROW EXECUTE FUNCTION refuse()`,
  );
  try {
    await prompt('retried', 'We decided to write dates as RFC 3339.');
    await hook('retried', 'SessionEnd', { reason: 'other' });
    const { id } = await sessionOf(instance, 'claude-code:retried');
    const completed = await until(
      async () => ofSession('summarise', id).find(({ isFailed }) => !isFailed),
      PATIENCE_MS,
    );
    const spans = ofSession('summarise', id);
    const attempts = spans.map(({ attributes, isFailed }) => [attributes['temporal.attempt'], isFailed]);
    expect(attempts).toEqual([
      [1, true],
      [2, true],
      [3, false],
    ]);
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([completed.traceId]));
  } finally {
    await instance.db.owner.query('DROP TRIGGER refuse ON summaries; DROP FUNCTION refuse(); DROP SEQUENCE attempts');
  }
});

test('no span and no line of a log contains what was planted, or a key', { timeout: 120_000 }, async () => {
  const api = await startService('api/main.ts', {
    ...instance.environment,
    RECOLLECT_HTTP_PORT: '0',
    RECOLLECT_LOG_LEVEL: 'debug',
  });
  processes.push(api);
  await Promise.all(processes.map((each) => each.stop()));
  expect(collector.headers.every((each) => each['x-key'] === PLANTED)).toBe(true);
  expect(collector.bodies.length).toBeGreaterThan(5);
  const text = collector.bodies.join('\n') + logs();
  expect(text).toContain('activity ended');
  for (const secret of [PLANTED, instance.admin.key]) expect(text).not.toContain(secret);
});
