import type pg from 'pg';
import { readDivergence } from '../../stores/postgres/consistency/consistency-checks.ts';
import type { createApiMetrics } from '../../telemetry/metrics.ts';
import { scrapeStep } from './scrape-step.ts';

/** Shows what the last comparison of each tenant left. Returns the step that a scrape runs; it never fails. */
export function createDivergenceObserver(
  pool: pg.Pool,
  gauge: ReturnType<typeof createApiMetrics>['indexDivergence'],
): () => Promise<void> {
  const look = async (): Promise<void> => {
    const left = await readDivergence(pool);
    gauge.reset();
    for (const [kind, count] of left) gauge.set({ kind }, count);
  };
  return scrapeStep(look);
}
