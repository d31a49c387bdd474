import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { BenchInstance } from '../capture/bench-instance.ts';
import { option, say } from '../command-line.ts';
import { median, percentile, timings } from '../figures.ts';
import { fillLive } from './fill.ts';
import { familyOf } from '../process-tree.ts';
import { soleUser } from '../recall/speed-fill.ts';

const SCRAPES = 40;
const SCRAPES_ALONE = 10;
const ODD_REQUESTS = 10_000;
const AT_ONCE = 20;
const portsSchema = z.looseObject({ workerMetrics: z.number() });
const secretsSchema = z.looseObject({ scrapeToken: z.string() });

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

/** Returns functions that scrape the api and the worker. */
function scrapesOf({ dataDir, url }: BenchInstance) {
  const { workerMetrics } = portsSchema.parse(readJson(path.join(dataDir, 'run/ports.json')));
  const { scrapeToken } = secretsSchema.parse(readJson(path.join(dataDir, 'secrets.json')));
  const scrape = async (address: string): Promise<string> => {
    const answer = await fetch(`${address}/metrics`, { headers: { authorization: `Bearer ${scrapeToken}` } });
    if (answer.status !== 200) throw new Error(`a scrape was answered with ${answer.status}`);
    return answer.text();
  };
  return { api: () => scrape(url), worker: () => scrape(`http://127.0.0.1:${workerMetrics}`) };
}

const seriesIn = (text: string): number => text.match(/^[a-z]\w*(?:\{.*\})? \S+$/gm)?.length ?? 0;

/** Sends requests of which each has a path, a name and a key that no other has. */
async function sendOdd({ url, key }: BenchInstance, count: number): Promise<void> {
  const odd = [
    (n: number) => [`/odd-${n}`, key],
    (n: number) => [`/api/v1/sessions/host-${n}:session-${n}`, key],
    (n: number) => [`/api/v1/search?q=word${n}&tool=tool-${n}`, `rcl_guess_${n}`],
    (n: number) => [`/api/v1/learnings?namespace=name-${n}`, key],
    (n: number) => [`/api/v1/odd/${n}/%F0%9F%98%80`, key],
  ] as const;
  for (let n = 0; n < count; n += AT_ONCE)
    await Promise.all(
      Array.from({ length: AT_ONCE }, async (_, k) => {
        const [at = '/', token = key] = odd[(n + k) % odd.length]?.(n + k) ?? [];
        const answer = await fetch(`${url}${at}`, { headers: { authorization: `Bearer ${token}` } });
        await answer.arrayBuffer();
      }),
    );
}

/** Suspends the processes of a service during `work`. */
async function suspended<Result>(
  instance: BenchInstance,
  service: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const pids = familyOf(instance.pid(service));
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  try {
    return await work();
  } finally {
    for (const pid of pids) process.kill(pid, 'SIGCONT');
  }
}

/**
 * Returns the time of a scrape with 100,000 rows and 1,000 live sessions, the same with PostgreSQL suspended, and the number of series, also after 10,000 odd requests.
 * `--rows N` and `--sessions N` reduce it.
 */
export async function scrapeCost(instance: BenchInstance) {
  const rows = Number(option('rows') ?? 100_000);
  const sessions = Number(option('sessions') ?? 1_000);
  const scrapes = scrapesOf(instance);
  const figures = await suspended(instance, 'worker', async () => {
    say('writing the rows');
    await fillLive(instance.database, { ...(await soleUser(instance.database)), sessions, rows });
    say('scraping');
    await timings(3, scrapes.api);
    const filled = await timings(SCRAPES, scrapes.api);
    const text = await scrapes.api();
    const alone = await suspended(instance, 'postgres', () => timings(SCRAPES_ALONE, scrapes.api));
    return {
      p50_ms: median(filled),
      p99_ms: percentile(filled, 0.99),
      without_postgres_max_ms: percentile(alone, 1),
      unconsumed_rows: Number(/^recollect_unconsumed_rows (\d+)$/m.exec(text)?.[1] ?? Number.NaN),
    };
  });
  const worker = await timings(SCRAPES, scrapes.worker);
  say('sending odd requests');
  await sendOdd(instance, AT_ONCE * 5);
  await scrapes.api();
  const before = seriesIn(await scrapes.api());
  await sendOdd(instance, ODD_REQUESTS);
  const after = seriesIn(await scrapes.api());
  return {
    rows,
    sessions,
    ...figures,
    worker_p50_ms: median(worker),
    worker_p99_ms: percentile(worker, 0.99),
    api_series: before,
    api_series_after_odd_requests: after,
    worker_series: seriesIn(await scrapes.worker()),
  };
}
