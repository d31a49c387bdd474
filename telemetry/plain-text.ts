import { Registry } from 'prom-client';

/** Content type of the text format that every scraper reads. */
export const PLAIN_TEXT = Registry.PROMETHEUS_CONTENT_TYPE;

const COUNTER = /^# HELP (\w+) (.*)\n# TYPE \1 counter$/gm;
const EXEMPLAR = /^(\w+_bucket\{.*\} \S+) # \{.*$/gm;

/**
 * Returns the metrics of a registry, given in OpenMetrics, in Prometheus' text format: it has no exemplars and no end, and the names of counters include
 * `_total`. The library cannot write both from one registry: writing OpenMetrics renames the counters.
 */
export function plainText(openMetrics: string): string {
  return openMetrics
    .replace(COUNTER, '# HELP $1_total $2\n# TYPE $1_total counter')
    .replace(EXEMPLAR, '$1')
    .replace(/# EOF\n$/, '');
}
