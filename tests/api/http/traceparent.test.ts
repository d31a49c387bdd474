import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fileInstance } from '../../setup/file-instance.ts';
import { startOtlpReceiver } from '../../setup/otlp-receiver.ts';
import type { OtlpReceiver, ReceivedSpan } from '../../setup/otlp-receiver.ts';
import { until } from '../../setup/until.ts';

let collector: OtlpReceiver;
const instance = fileInstance(async () => {
  collector = await startOtlpReceiver();
  return {
    RECOLLECT_OTLP_ENDPOINT: collector.url,
    // Only what a caller samples is traced.
    RECOLLECT_TRACE_SHARE: '0',
    RECOLLECT_ALLOWED_HOSTS: 'memory.example.org',
  };
});
afterAll(() => collector.close());

let made = 0;
/** Returns the id of a new trace. */
function newTraceId(): string {
  made += 1;
  return made.toString(16).padStart(32, 'a');
}
const SPAN_ID = 'b7ad6b7169203331';

interface From {
  readonly traceId: string;
  readonly header?: string;
  readonly key?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
}

/** Sends a request; returns its status. */
function send({
  traceId,
  header,
  key = instance.admin.key,
  headers,
  path = '/sessions',
}: From): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${instance.url}/api/v1${path}`,
      {
        headers: {
          ...(key === null ? {} : { authorization: `Bearer ${key}` }),
          traceparent: header ?? `00-${traceId}-${SPAN_ID}-01`,
          ...headers,
        },
      },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    outgoing.on('error', reject);
    outgoing.end();
  });
}

/** Returns the spans of a trace, after those of a later trace arrived. */
async function spansOf(traceId: string): Promise<ReceivedSpan[]> {
  const last = newTraceId();
  await send({ traceId: last });
  await until(async () => (collector.spans.some((span) => span.traceId === last) ? true : undefined));
  return collector.spans.filter((span) => span.traceId === traceId);
}

const OUTSIDE = { 'x-forwarded-for': '203.0.113.7' };

// Each request is found by a trace or a route of its own: all wait for the same batches of spans.
describe('a sampled traceparent', { concurrent: true }, () => {
  test('is believed from this machine: the request continues the trace of its caller', async () => {
    const traceId = newTraceId();
    // An open route: the caller has no credential.
    expect(await send({ traceId, key: null, path: '/about' })).toBe(200);
    expect(await spansOf(traceId)).toMatchObject([
      {
        name: 'GET /api/v1/about',
        kind: 2,
        parentSpanId: SPAN_ID,
        attributes: { 'http.request.method': 'GET', 'http.route': '/api/v1/about', 'http.response.status_code': 200 },
      },
    ]);
  });

  test('is believed from the holder of a key', async () => {
    const traceId = newTraceId();
    expect(await send({ traceId, headers: { ...OUTSIDE, host: 'memory.example.org' } })).toBe(200);
    expect(await spansOf(traceId)).toHaveLength(1);
  });

  test.each<[string, Omit<From, 'traceId'>]>([
    ['through a proxy without a key', { key: null, path: '/about', headers: OUTSIDE }],
    ['under another name without a key', { key: null, path: '/about', headers: { host: 'memory.example.org' } }],
    ['with an unknown key', { key: 'rcl_unknown_unknown_unknown', headers: OUTSIDE }],
  ])('is not believed from outside %s', async (_where, from) => {
    const traceId = newTraceId();
    await send({ traceId, ...from });
    expect(await spansOf(traceId)).toEqual([]);
  });

  test('of a probe is not traced', async () => {
    const traceId = newTraceId();
    expect(await send({ traceId, path: '/health/live' })).toBe(200);
    expect(await spansOf(traceId)).toEqual([]);
  });
});

describe('a traceparent that is', { concurrent: true }, () => {
  test.each([
    ['unsampled', '/jobs', (traceId: string) => `00-${traceId}-${SPAN_ID}-00`],
    ['broken', '/learnings', (traceId: string) => `00-${traceId}-${SPAN_ID}`],
    ['forged with zeros', '/projects', () => `00-${'0'.repeat(32)}-${SPAN_ID}-01`],
    ['60 KB long', '/contexts', (traceId: string) => `01-${traceId}-${SPAN_ID}-01-${'x'.repeat(60_000)}`],
  ])('%s samples nothing, and the request is answered', async (_what, path, header) => {
    const traceId = newTraceId();
    expect(await send({ traceId, path, header: header(traceId) })).toBe(200);
    expect(await spansOf(traceId)).toEqual([]);
    // Nor in a trace of another id.
    const spans = collector.spans.filter(({ attributes }) => attributes['http.route'] === `/api/v1${path}`);
    expect(spans).toEqual([]);
  });

  test('1 MB long is refused with its request', async () => {
    const traceId = newTraceId();
    expect(await send({ traceId, header: `01-${traceId}-${SPAN_ID}-01-${'x'.repeat(1_000_000)}` })).toBe(431);
    expect(await spansOf(traceId)).toEqual([]);
  });
});

test('two headers are none', { concurrent: true }, async () => {
  const traceId = newTraceId();
  const answer = await fetch(`${instance.url}/api/v1/about`, {
    headers: [
      ['traceparent', `00-${traceId}-${SPAN_ID}-01`],
      ['traceparent', `00-${newTraceId()}-${SPAN_ID}-01`],
    ],
  });
  expect(answer.status).toBe(200);
  expect(await spansOf(traceId)).toEqual([]);
});

describe('captures of a traced request', { concurrent: true }, () => {
  test('are marked, those of other requests are not', async () => {
    const traceId = newTraceId();
    const hook = (session: string, header: string) =>
      instance.call('POST', '/hooks/UserPromptSubmit', {
        body: { session_id: session, hook_event_name: 'UserPromptSubmit', prompt: 'hello' },
        headers: { traceparent: header },
      });
    expect((await hook('marked', `00-${traceId}-${SPAN_ID}-01`)).status).toBe(200);
    expect((await hook('unmarked', `00-${newTraceId()}-${SPAN_ID}-00`)).status).toBe(200);
    const marks = await instance.rows<{ session: string; mark: string }>(
      "SELECT s.external_id AS session, encode(m.mark, 'hex') AS mark FROM trace_marks m JOIN sessions s ON s.id = m.session_id",
    );
    const span = (await spansOf(traceId)).find(({ parentSpanId }) => parentSpanId === SPAN_ID);
    expect(marks).toEqual([{ session: 'marked', mark: `${traceId}${span?.spanId}01` }]);
    expect(span?.name).toBe('POST /api/v1/hooks/:event');
  });
});

describe('failed requests', () => {
  beforeAll(() =>
    instance.db.owner.query(
      `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = '53100'; END $$;
       CREATE TRIGGER refuse BEFORE INSERT ON capture_keys FOR EACH ROW EXECUTE FUNCTION refuse()`,
    ),
  );
  afterAll(() => instance.db.owner.query('DROP TRIGGER refuse ON capture_keys; DROP FUNCTION refuse()'));

  test('are traced although no caller samples them', async () => {
    const before = collector.spans.length;
    const answer = await instance.call('POST', '/hooks/UserPromptSubmit', {
      body: { session_id: 'failed', hook_event_name: 'UserPromptSubmit', prompt: 'hello' },
    });
    expect(answer.status).toBeGreaterThanOrEqual(500);
    // The spans of hints of earlier requests arrive meanwhile.
    const failed = await until(async () =>
      collector.spans.slice(before).find(({ name }) => name === 'POST /api/v1/hooks/:event'),
    );
    expect(failed).toMatchObject({
      isFailed: true,
      attributes: { 'error.type': String(answer.status), 'http.response.status_code': answer.status },
    });
  });
});
