import type { Counter, OpenMetricsContentType, Registry } from 'prom-client';

/** Metrics of a process. OpenMetrics is the only format with exemplars; `plainText` derives the other one. */
export type MetricRegistry = Registry<OpenMetricsContentType>;

/** Where metrics of a set are registered. */
export type Registers = MetricRegistry[];

/** Bounds of latencies in seconds. They include the limits of the service level objectives (docs/slo.md): 0.1 and 0.3. */
export const LATENCY_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.3, 1, 2.5, 10];

/** Returns every combination of the values of labels. */
function combinations(labels: Readonly<Record<string, readonly string[]>>): Record<string, string>[] {
  return Object.entries(labels).reduce<Record<string, string>[]>(
    (sets, [label, values]) => sets.flatMap((set) => values.map((value) => ({ ...set, [label]: value }))),
    [{}],
  );
}

/** Sets every combination of the values to 0 and returns the counter: `increase()` of a series that begins at 1 is 0. */
export function fromZero<Labelled extends Counter>(
  counter: Labelled,
  labels: Readonly<Record<string, readonly string[]>>,
): Labelled {
  for (const set of combinations(labels)) counter.inc(set, 0);
  return counter;
}
