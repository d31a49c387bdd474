import { expect, test } from 'vitest';
import { createApiMetrics } from '../../telemetry/api-metrics.ts';

test.each([
  [true, 3],
  [false, 0],
])('hits of the model cache have series only with a cache: %s', async (isCached, series) => {
  const scrape = await createApiMetrics('0.0.0', 'test', isCached).registry.metrics();
  expect(scrape.match(/^recollect_model_cache_hits_total\{/gm) ?? []).toHaveLength(series);
});
