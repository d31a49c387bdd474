import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DASHBOARDS } from '../../observability/dashboards/index.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { startOtlpReceiver } from '../setup/otlp-receiver.ts';
import type { OtlpReceiver } from '../setup/otlp-receiver.ts';
import { captured, smallSession } from '../setup/small-session.ts';
import { untilTrue, until } from '../setup/until.ts';
import { freePort, startWorkerProcess } from '../setup/worker-process.ts';
import type { ServiceProcess } from '../setup/worker-process.ts';
import { startPrometheus } from './support/prometheus-process.ts';
import type { PrometheusProcess } from './support/prometheus-process.ts';

const TOKEN = 'a-token-for-scraping';
/** The kind of spans of requests in OTLP. */
const SERVER = 2;
const PAGE = fileURLToPath(new URL('../../docs/metrics.md', import.meta.url));
let collector: OtlpReceiver;
const instance = fileInstance(async () => {
  collector = await startOtlpReceiver();
  return { RECOLLECT_SCRAPE_TOKEN: TOKEN, RECOLLECT_OTLP_ENDPOINT: collector.url, RECOLLECT_TRACE_SHARE: '1' };
}, ['capture-sweep', 'statistics']);
let worker: ServiceProcess;
let workerAddress: string;
let prometheus: PrometheusProcess;

beforeAll(async () => {
  const port = await freePort();
  workerAddress = `127.0.0.1:${port}`;
  worker = await startWorkerProcess({
    ...instance.environment,
    RECOLLECT_WORKER_METRICS_PORT: String(port),
  });
  prometheus = await startPrometheus({ api: new URL(instance.url).host, worker: workerAddress, token: TOKEN });
});
afterAll(async () => {
  await prometheus?.stop();
  await worker?.stop();
  await collector?.close();
});

/** Captures a session that settles, searches and requests context. */
async function traffic(name: string): Promise<void> {
  const [first, ...rest] = smallSession(name);
  // One event comes alone, as from a hook.
  expect((await instance.post('/events', first)).status).toBe(202);
  await captured(instance, rest);
  await untilTrue(
    async () =>
      (await instance.count("sessions WHERE phase = 'settled' AND searchable_at IS NOT NULL AND external_id = $1", [
        name,
      ])) === 1,
    120_000,
    `${name} being settled and searchable`,
  );
  expect((await instance.get('/search?q=rounding')).status).toBe(200);
  expect((await instance.post('/context', { purpose: 'prompt', prompt: 'How are invoices rounded?' })).status).toBe(
    200,
  );
}

/** Returns the families of a scrape by name, with their type and the names of their labels. */
function families(text: string): Map<string, { readonly type: string; readonly labels: ReadonlySet<string> }> {
  const types = new Map([...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type = '']) => [name, type]));
  const found = new Map([...types].map(([name, type]) => [name, { type, labels: new Set<string>() }]));
  for (const [, name = '', labels = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const family = found.get(name) ?? found.get(name.replace(/_(?:bucket|sum|count)$/, ''));
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) if (label !== 'le') family?.labels.add(label);
  }
  return found;
}

/** Returns the rows of a section of the page: name, type and labels. */
function documented(...sections: string[]): Map<string, { readonly type: string; readonly labels: readonly string[] }> {
  const page = readFileSync(PAGE, 'utf8').split(/^## /m);
  const texts = page.filter((text) => sections.some((section) => text.startsWith(section)));
  expect(texts.length).toBe(sections.length);
  return new Map(
    texts.flatMap((text) =>
      [...text.matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]*) \|/gm)].map(([, name = '', type = '', labels = '']) => [
        name,
        { type, labels: labels.trim() === '' ? [] : labels.trim().split(', ') },
      ]),
    ),
  );
}

async function scrapeOf(address: string, accept = '*/*'): Promise<string> {
  const answer = await fetch(`http://${address}/metrics`, { headers: { authorization: `Bearer ${TOKEN}`, accept } });
  expect(answer.status).toBe(200);
  return answer.text();
}

describe('a live scrape', () => {
  beforeAll(() => traffic('first'));

  test.each([
    ['the api', () => new URL(instance.url).host, ['Both processes', 'Api']],
    ['the worker', () => workerAddress, ['Both processes', 'Worker']],
  ])('of %s has exactly the metrics of the page, with their types and labels', async (_what, address, sections) => {
    const found = families(await scrapeOf(address()));
    const listed = documented(...sections);
    const own = [...found].filter(([name]) => name.startsWith('recollect_'));
    expect(own.map(([name]) => name).sort()).toEqual([...listed.keys()].sort());
    for (const [name, { type, labels }] of own) {
      expect([name, type]).toEqual([name, listed.get(name)?.type]);
      expect([name, listed.get(name)?.labels]).toEqual([name, expect.arrayContaining([...labels])]);
    }
  });

  test('of the worker has no metric of the SDK beside those of the page', async () => {
    const found = [...families(await scrapeOf(workerAddress))].filter(([name]) => name.startsWith('temporal_'));
    const listed = documented('Temporal’s SDK');
    expect(found.length).toBeGreaterThan(8);
    for (const [name, { type }] of found) expect([name, type]).toEqual([name, listed.get(name)?.type]);
  });

  test('of the api in OpenMetrics has the same series, and traces of requests', async () => {
    const host = new URL(instance.url).host;
    const names = (text: string) => text.match(/^recollect_http_\w+\{.*?\}(?= )/gm);
    const open = await scrapeOf(host, 'application/openmetrics-text; version=1.0.0');
    expect(names(open)).toEqual(names(await scrapeOf(host)));
    expect(open).toMatch(/^recollect_http_request_duration_seconds_bucket\{.*\} \d+ # \{trace_id="[0-9a-f]{32}"\} /m);
    expect(open.slice(-6)).toBe('# EOF\n');
  });

  test('of the api has exemplars whose traces the collector received', async () => {
    const received = async () => {
      const exemplars = new Set(await prometheus.traceIds('recollect_http_request_duration_seconds_bucket'));
      return collector.spans.find(({ traceId, kind }) => kind === SERVER && exemplars.has(traceId));
    };
    const span = await until(received, 120_000, 'an exemplar of a received trace');
    expect(span.name).toMatch(/^(?:GET|POST) \/api\/v1\//);
  });

  test('of both has at most 2,000 series', async () => {
    const texts = [await scrapeOf(new URL(instance.url).host), await scrapeOf(workerAddress)];
    const series = texts.join('').match(/^[a-z]\w*[ {]/gm) ?? [];
    expect(series.length).toBeGreaterThan(500);
    expect(series.length).toBeLessThanOrEqual(2_000);
  });
});

describe('dashboards', () => {
  beforeAll(async () => {
    await until(
      async () => ((await prometheus.query('up == 1')) >= 2 ? true : undefined),
      120_000,
      'two scraped processes',
    );
    // Rates need events between two scrapes.
    await traffic('second');
    await traffic('third');
    await until(
      async () => ((await prometheus.query('rate(temporal_workflow_completed_total[5m]) > 0')) > 0 ? true : undefined),
      120_000,
      'rates',
    );
  }, 400_000);

  const panels = DASHBOARDS.flatMap(({ name, rows }) =>
    rows.flatMap((row) =>
      row.panels.flatMap(({ title, queries, mayBeEmpty }) =>
        queries.map(({ expr }) => ({ panel: `${name}: ${title}`, expr, mayBeEmpty })),
      ),
    ),
  );

  test('have queries that Prometheus answers, with series unless the panel gives a reason', async () => {
    expect(panels.length).toBeGreaterThan(60);
    let empty = panels;
    // Each once: a rate follows its second scrape, a recorded series one evaluation later.
    await expect
      .poll(async () => {
        const counts = await Promise.all(empty.map(({ expr }) => prometheus.query(expr)));
        empty = empty.filter(({ mayBeEmpty }, n) => counts[n] === 0 && mayBeEmpty === undefined);
        return empty;
      })
      .toEqual([]);
  });

  test('have a series for each figure of the instance that rules need', async () => {
    for (const name of [
      'recollect_unfindable_rows',
      'recollect_unconsumed_oldest_age_seconds',
      'recollect_instance_created_timestamp_seconds',
      'recollect_audit_verified',
      'recollect_schedule_last_success_timestamp_seconds',
      'recollect_schedule_interval_seconds',
      'recollect_dependency_up{dependency="postgres"}',
      'recollect:searchable:bad_ratio_1h',
    ])
      // A recorded series follows its metrics by one evaluation.
      expect(await until(async () => (await prometheus.query(name)) || undefined, 120_000, name)).toBeGreaterThan(0);
  });

  test('no alert fires on a working instance but the watchdog', async () => {
    expect(await prometheus.query('ALERTS{alertstate="firing",alertname="RecollectWatchdog"}')).toBe(1);
    expect(await prometheus.query('ALERTS{alertstate="firing",alertname!="RecollectWatchdog"}')).toBe(0);
  });
});
