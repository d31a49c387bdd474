import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { activeSpan } from '../../telemetry/active-span.ts';
import { loadExporter, Tracing } from '../../telemetry/tracing.ts';
import type { Exporter } from '../../telemetry/tracing.ts';
import { startOtlpReceiver } from '../setup/otlp-receiver.ts';
import type { OtlpReceiver } from '../setup/otlp-receiver.ts';
import { freePort } from '../setup/worker-process.ts';

const MARKS = Array.from({ length: 40 }, (_, n) => ({
  traceId: (n + 1).toString(16).padStart(32, '0'),
  spanId: (n + 1).toString(16).padStart(16, '0'),
}));
/** For which an export waits for the collector: what waited for one would take longer. */
const EXPORT_MS = 5_000;
let collector: OtlpReceiver;
let dropped = 0;

async function exporterTo(url: string): Promise<Exporter> {
  const settings = { url: `${url}/v1/traces`, headers: { 'x-key': 'k' }, service: 'test' };
  const create = await loadExporter('api', '1.2.3', settings);
  if (create === null) throw new Error('no exporter');
  return create((count) => {
    dropped += count;
  });
}

function tracingOf(source: Exporter): Tracing {
  return new Tracing({ source, share: 0.5, ofUnits: () => ({ 'temporal.attempt': 2 }) });
}

const marksOf = (count: number, total = count) => ({ marks: MARKS.slice(0, count), total });
const nothing = () => Promise.resolve();

beforeEach(async () => {
  dropped = 0;
  collector = await startOtlpReceiver();
});
afterEach(() => collector.close());

describe('a unit of work', () => {
  test('continues the newest mark, links 32 others and counts the rest', async () => {
    const exporter = await exporterTo(collector.url);
    await tracingOf(exporter).unit('unit', () => marksOf(40), nothing, {
      'recollect.n': 1,
      'recollect.no': undefined,
    });
    await exporter.close();
    const [span] = collector.spans;
    expect(span).toMatchObject({
      name: 'unit',
      traceId: MARKS[0]?.traceId,
      parentSpanId: MARKS[0]?.spanId,
      attributes: { 'recollect.n': 1, 'temporal.attempt': 2, 'recollect.links_omitted': 7 },
      service: 'test-api',
      isFailed: false,
    });
    expect(span?.links.map(({ spanId }) => spanId)).toEqual(MARKS.slice(1, 33).map(({ spanId }) => spanId));
    expect(Object.keys(span?.attributes ?? {})).not.toContain('recollect.no');
    expect(collector.headers[0]?.['x-key']).toBe('k');
    expect(dropped).toBe(0);
  });

  test('without marks, or with marks that cannot be read, is done and recorded nowhere', async () => {
    const exporter = await exporterTo(collector.url);
    const tracing = tracingOf(exporter);
    const inside = () => Promise.resolve(tracing.active());
    expect(await tracing.unit('unit', () => marksOf(0), inside)).toBeNull();
    expect(await tracing.unit('unit', () => Promise.reject(new Error('unavailable')), inside)).toBeNull();
    expect(await tracing.step('step', inside)).toBeNull();
    await exporter.close();
    expect(collector.bodies).toEqual([]);
  });

  test('that fails records the name and code of the error, and no message', async () => {
    const exporter = await exporterTo(collector.url);
    const error = Object.assign(new TypeError('the secret text'), { code: 'ECONNRESET' });
    await expect(
      tracingOf(exporter).unit(
        'unit',
        () => marksOf(1),
        () => Promise.reject(error),
      ),
    ).rejects.toBe(error);
    const odd = Object.assign(new Error('x'), { name: 'the secret name', code: 'the secret code' });
    await expect(
      tracingOf(exporter).unit(
        'odd',
        () => marksOf(1),
        () => Promise.reject(odd),
      ),
    ).rejects.toBe(odd);
    await exporter.close();
    expect(collector.named('unit')[0]).toMatchObject({
      isFailed: true,
      attributes: { 'error.type': 'TypeError', 'error.code': 'ECONNRESET' },
    });
    expect(collector.named('odd')[0]).toMatchObject({ isFailed: true, attributes: { 'error.type': 'Error' } });
    expect(collector.bodies.join('')).not.toContain('secret');
  });

  test('contains its steps, and the stages that end in it', async () => {
    const exporter = await exporterTo(collector.url);
    const tracing = tracingOf(exporter);
    await tracing.unit(
      'unit',
      () => marksOf(1),
      () =>
        tracing.step('step', async () => {
          expect(activeSpan()).not.toBeNull();
          await nothing();
          tracing.ended('stage', 0.25);
        }),
    );
    tracing.ended('outside', 1);
    await exporter.close();
    const [unit, step, stage] = ['unit', 'step', 'stage'].map((name) => collector.named(name)[0]);
    expect([step?.parentSpanId, stage?.parentSpanId]).toEqual([unit?.spanId, step?.spanId]);
    expect((stage?.endMs ?? 0) - (stage?.startMs ?? 0)).toBeCloseTo(250, 0);
    expect(collector.named('outside')).toEqual([]);
  });
});

test.each([
  [0, 0, 0],
  [0.02, 300, 500],
  [1, 20_000, 20_000],
])('a share of %s draws so many of 20,000 requests', async (share, least, most) => {
  const exporter = await exporterTo(collector.url);
  const tracing = new Tracing({ source: exporter, share });
  const drawn = Array.from({ length: 20_000 }, () => tracing.isDrawn()).filter(Boolean).length;
  expect(drawn).toBeGreaterThanOrEqual(least);
  expect(drawn).toBeLessThanOrEqual(most);
  await exporter.close();
});

test('a span is active until it ends, also for what began in it and continues', async () => {
  const exporter = await exporterTo(collector.url);
  const span = tracingOf(exporter).request('GET /', null, Date.now(), {});
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const later = span.run(async () => {
    expect(activeSpan()).toEqual(span.ids);
    await ended;
    return activeSpan();
  });
  span.end();
  resolve();
  expect(await later).toBeNull();
  await exporter.close();
});

describe('without a collector that receives', () => {
  /** Ends spans until those that were exported and those that were dropped are known; returns the ms that starting and ending them took. */
  const spans = (exporter: Exporter, count: number): number => {
    const tracing = tracingOf(exporter);
    const started = performance.now();
    for (let n = 0; n < count; n += 1) tracing.request('GET /', null, Date.now(), {}).end();
    return performance.now() - started;
  };

  test('an absent one costs its spans, which are counted, and no time', async () => {
    const exporter = await exporterTo(`http://127.0.0.1:${await freePort()}`);
    spans(exporter, 3);
    const started = performance.now();
    await exporter.close();
    expect(performance.now() - started).toBeLessThan(EXPORT_MS);
    expect(dropped).toBe(3);
  });

  test('one that answers 500 costs its spans, which are counted', async () => {
    collector.status = 500;
    const exporter = await exporterTo(collector.url);
    spans(exporter, 3);
    await exporter.close();
    expect(dropped).toBe(3);
  });

  test.each([
    ['some of its spans', '{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too many"}}', 2],
    ['one, as a number', '{"partialSuccess":{"rejectedSpans":1}}', 1],
    ['more than were sent', '{"partialSuccess":{"rejectedSpans":"900"}}', 3],
    ['none', '{"partialSuccess":{"errorMessage":"a warning"}}', 0],
    ['a negative number', '{"partialSuccess":{"rejectedSpans":"-2"}}', 0],
    ['nothing readable', '', 0],
    ['more text than is read', `{"partialSuccess":{"rejectedSpans":2,"errorMessage":"${'x'.repeat(70_000)}"}}`, 0],
  ])('one that accepts a request and refuses %s costs these, once', async (_what, answer, lost) => {
    collector.answer = answer;
    const exporter = await exporterTo(collector.url);
    spans(exporter, 3);
    await exporter.close();
    expect([dropped, collector.bodies.length]).toEqual([lost, 1]);
  });

  test('one that never answers delays neither the spans nor the end of the process', async () => {
    collector.status = null;
    const exporter = await exporterTo(collector.url);
    // More than the queue: those beyond it are dropped at once.
    const tookMs = spans(exporter, 6_000);
    expect(dropped).toBeGreaterThanOrEqual(6_000 - 4_096 - 512);
    expect(tookMs).toBeLessThan(EXPORT_MS);
    const started = performance.now();
    await exporter.close();
    expect(performance.now() - started).toBeLessThan(EXPORT_MS);
  });
});

test('nothing is loaded where nothing is traced', async () => {
  expect(await loadExporter('api', '1.2.3', null)).toBeNull();
});
