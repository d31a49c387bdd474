import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { plainText } from '../../telemetry/plain-text.ts';
import type { MetricRegistry, Registers } from '../../telemetry/metric-sets.ts';

/** Fills a registry with a metric of each type. */
function filled(registers: Registers | Registry[]): void {
  new Counter({ name: 'a_total', help: 'Of {x} # {y} 1', labelNames: ['of'], registers }).inc({ of: '} 1 # {' }, 2);
  new Gauge({ name: 'b_total_count', help: 'b', registers }).set(-1.5);
}

test('equals what the library writes as plain text, without exemplars', async () => {
  const open: MetricRegistry = new Registry();
  open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const plain = new Registry();
  for (const registers of [[open], [plain]]) filled(registers);
  const options = { name: 'c_seconds', help: 'c', labelNames: ['of' as const], buckets: [1, 2] };
  const traced = new Histogram<'of' | 'trace_id'>({ ...options, enableExemplars: true, registers: [open] });
  const untraced = new Histogram({ ...options, registers: [plain] });
  for (const value of [0.5, 1.5, 3]) {
    traced.observe({ labels: { of: 'x' }, value, exemplarLabels: { trace_id: `trace-of-${value}` } });
    untraced.observe({ of: 'x' }, value);
  }
  const written = await open.metrics();
  expect(written.match(/ # \{trace_id="trace-of-[\d.]+"\} [\d.]+ \d+/g)).toHaveLength(3);
  const withoutGaps = (await plain.metrics()).replaceAll('\n\n', '\n');
  expect(plainText(written)).toBe(withoutGaps);
  // Writing has renamed the counters: the next scrape is as the first one.
  expect(plainText(await open.metrics())).toBe(withoutGaps);
});
