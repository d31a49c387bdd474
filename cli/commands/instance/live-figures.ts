import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ratesBetween } from '../../../domain/instance-history.ts';
import type { Counted, Rates } from '../../../domain/instance-history.ts';
import type { ServerClient } from '../../server/server-client.ts';
import { grouped } from '../../text/text-layout.ts';
import { isRefused, RECORDED_MS } from './activity.ts';
import type { StatusReport } from './status.ts';

const run = promisify(execFile);

/** Values of a scrape by metric, each with its labels as they are written, such as `{state="pending"}`. */
type Scrape = ReadonlyMap<string, readonly { readonly labels: string; readonly value: number }[]>;

/** Returns the values of a text in the format of Prometheus. */
export function parsedScrape(text: string): Scrape {
  const values = new Map<string, { labels: string; value: number }[]>();
  for (const line of text.split('\n')) {
    const found = /^(?<name>\w+)(?<labels>\{.*\})? (?<value>\S+)/.exec(line)?.groups;
    const name = found?.['name'];
    if (name === undefined) continue;
    const list = values.get(name) ?? [];
    list.push({ labels: found?.['labels'] ?? '', value: Number(found?.['value']) });
    values.set(name, list);
  }
  return values;
}

/** Returns the sum of the series of a metric, of those with a label if one is given; null without any. */
function sumOf(scrape: Scrape, name: string, label = ''): number | null {
  const series = scrape.get(name)?.filter(({ labels }) => labels.includes(label)) ?? [];
  return series.length === 0 ? null : series.reduce((sum, { value }) => sum + value, 0);
}

/** What an instance does at this moment. */
export interface LiveFigures {
  /** Per second since the figures before; null in the first ones and after a restart of the api. */
  readonly rates: Rates | null;
  readonly behind: {
    readonly sessions: number;
    readonly rows: number;
    /** Age of the oldest row that no workflow has consumed. */
    readonly oldest_s: number;
    readonly windows: number;
    readonly vectors: number;
  };
  /** Resident memory in MiB by process. */
  readonly memory_mib: Readonly<Record<string, number>>;
}

/** Returns the resident memory of processes in MiB, by name. */
async function memoryOf(services: StatusReport['services']): Promise<Readonly<Record<string, number>>> {
  const pids = new Map(services.flatMap(({ name, pid }) => (pid === null ? [] : [[pid, name] as const])));
  if (pids.size === 0) return {};
  // A process that ended meanwhile lets `ps` fail.
  const { stdout } = await run('ps', ['-o', 'pid=,rss=', '-p', [...pids.keys()].join(',')]).catch(() => ({
    stdout: '',
  }));
  return Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .flatMap((line) => {
        const [pid = Number.NaN, kibibytes = 0] = line.trim().split(/\s+/).map(Number);
        const name = pids.get(pid);
        return name === undefined ? [] : [[name, Math.round(kibibytes / 1_024)]];
      }),
  );
}

/** Reads figures of an instance again and again. */
export class LiveReader {
  #before: Counted | null = null;
  #refusedMs = Number.NEGATIVE_INFINITY;

  /** Returns the figures of this moment; null if the server does not answer or the key may not read its metrics. */
  async read(server: ServerClient | null, services: StatusReport['services']): Promise<LiveFigures | null> {
    if (Date.now() - this.#refusedMs < RECORDED_MS) return null;
    const text = await server
      ?.download('/metrics')
      .then((body) => new Response(body).text())
      .catch((error: unknown) => {
        if (isRefused(error)) this.#refusedMs = Date.now();
        return null;
      });
    if (text === null || text === undefined) return null;
    const scrape = parsedScrape(text);
    const now = {
      atMs: Date.now(),
      counts: {
        captures: sumOf(scrape, 'recollect_capture_events_total', 'outcome="accepted"') ?? 0,
        searches: sumOf(scrape, 'recollect_searches_total') ?? 0,
        requests: sumOf(scrape, 'recollect_http_requests_total') ?? 0,
      },
    };
    const rates = ratesBetween(this.#before, now);
    this.#before = now;
    return {
      rates,
      behind: {
        sessions: sumOf(scrape, 'recollect_sessions_in_progress') ?? 0,
        rows: sumOf(scrape, 'recollect_unconsumed_rows') ?? 0,
        oldest_s: Math.round(sumOf(scrape, 'recollect_unconsumed_oldest_age_seconds') ?? 0),
        windows: sumOf(scrape, 'recollect_windows') ?? 0,
        vectors: sumOf(scrape, 'recollect_vectors') ?? 0,
      },
      memory_mib: await memoryOf(services),
    };
  }
}

/** Returns the figures as rows for a table. */
export function liveRows({ rates, behind, memory_mib: memory }: LiveFigures): string[][] {
  const perSecond = (rate: number): string => `${rate.toFixed(1)}/s`;
  const { sessions, rows, oldest_s: oldest, windows, vectors } = behind;
  const total = Object.values(memory).reduce((sum, mib) => sum + mib, 0);
  const parts = Object.entries(memory).map(([name, mib]) => `${name} ${grouped(mib)}`);
  return [
    [
      'rates',
      rates === null
        ? 'after the next figures'
        : `captures ${perSecond(rates.captures)}, searches ${perSecond(rates.searches)}, requests ${perSecond(rates.requests)}`,
    ],
    [
      'behind',
      `${grouped(sessions)} sessions in progress; ${grouped(rows)} rows to consume${rows === 0 ? '' : `, the oldest for ${oldest} s`}; ${grouped(windows)} windows, ${grouped(vectors)} vectors`,
    ],
    ...(parts.length === 0 ? [] : [['memory', `${grouped(total)} MiB: ${parts.join(', ')}`]]),
  ];
}
