import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { readEmbeddingTotals } from '../stores/postgres/embedding-cache.ts';
import type { EmbeddingTotals } from '../stores/postgres/embedding-cache.ts';
import type { EmbeddingMetrics } from '../telemetry/metrics.ts';

/** A scrape waits no longer for PostgreSQL: what comes later is told by the next one. */
const PATIENCE_MS = 1_000;

/**
 * Counts what was embedded since this process first looked, from the database: workers do it, which nobody scrapes. Every api process counts the same, so
 * dashboards take the largest of them and not their sum. Returns the step that a scrape runs; it never fails.
 */
export function createEmbeddingObserver(pool: pg.Pool, metrics: EmbeddingMetrics): () => Promise<void> {
  let seen: ReadonlyMap<string, EmbeddingTotals> | null = null;
  let looking: Promise<void> | null = null;

  const look = async (): Promise<void> => {
    const now = await readEmbeddingTotals(pool);
    for (const [model, totals] of seen === null ? [] : now) {
      // A tenant that was erased takes its counts with it: a counter never goes back.
      const grown = (of: keyof EmbeddingTotals) => Math.max(0, totals[of] - (seen?.get(model)?.[of] ?? 0));
      metrics.texts.inc({ model, from: 'model' }, grown('texts'));
      metrics.texts.inc({ model, from: 'cache' }, grown('cacheHits'));
      metrics.batches.inc({ model }, grown('batches'));
      metrics.seconds.inc({ model }, grown('seconds'));
    }
    seen = now;
  };

  return async () => {
    looking ??= look()
      // Without PostgreSQL the other metrics are still told; the next scrape counts from where the last one ended.
      .catch(() => undefined)
      .finally(() => {
        looking = null;
      });
    await Promise.race([looking, pause(PATIENCE_MS, undefined, { ref: false })]);
  };
}
