import { parsedScrape } from '../../cli/commands/instance/live-figures.ts';

/** Counters of the api by which the service level objectives are counted (observability/rules/slo.yml). */
const COUNTERS = {
  captureRequests: ['recollect_http_requests_total', /group="(?:hooks|events)"/],
  captureFailures: ['recollect_http_requests_total', /^(?=.*group="(?:hooks|events)").*status="5xx"/],
  captures: ['recollect_capture_duration_seconds_count', /^/],
  capturesInTime: ['recollect_capture_duration_seconds_bucket', /le="0\.1"/],
  searches: ['recollect_http_request_duration_seconds_count', /group="search"/],
  searchesInTime: ['recollect_http_request_duration_seconds_bucket', /^(?=.*group="search").*le="0\.3"/],
} as const;
const NAMES = Object.keys(COUNTERS).filter((name): name is CounterName => name in COUNTERS);
export type CounterName = keyof typeof COUNTERS;
export type Counts = Readonly<Record<CounterName, number>>;

const countsBy = (value: (name: CounterName) => number): Counts =>
  // Every name of the union is a key.
  Object.fromEntries(NAMES.map((name) => [name, value(name)])) as Record<CounterName, number>;

/** Returns the counters of a scrape. */
export function countsIn(text: string): Counts {
  const scrape = parsedScrape(text);
  return countsBy((name) => {
    const [metric, labels] = COUNTERS[name];
    return (scrape.get(metric) ?? [])
      .filter((series) => labels.test(series.labels))
      .reduce((sum, { value }) => sum + value, 0);
  });
}

/** Sums counters over the restarts of a process, apart for the time of outages. What it counts between the last read and its kill is lost. */
export class CounterSums {
  #last: Counts | null = null;
  #isOutage = false;
  readonly #sums = { outside: countsBy(() => 0), outages: countsBy(() => 0) };

  /** Adds what was counted since the last read; the first read is the beginning. */
  add(now: Counts): void {
    const last = this.#last;
    this.#last = now;
    if (last === null) return;
    // A new process begins at 0; any counter that fell shows it.
    const isNew = NAMES.some((name) => now[name] < last[name]);
    const part = this.#isOutage ? 'outages' : 'outside';
    const sums = this.#sums[part];
    this.#sums[part] = countsBy((name) => sums[name] + now[name] - (isNew ? 0 : last[name]));
  }

  /** What is added from now on is of an outage, or of none. */
  setOutage(isOutage: boolean): void {
    this.#isOutage = isOutage;
  }

  get outside(): Counts {
    return this.#sums.outside;
  }

  get outages(): Counts {
    return this.#sums.outages;
  }

  get all(): Counts {
    return countsBy((name) => this.outside[name] + this.outages[name]);
  }
}
