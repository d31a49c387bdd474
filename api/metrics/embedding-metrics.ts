import type pg from 'pg';
import { readEmbeddingTotals } from '../../stores/postgres/embeddings/embedding-cache.ts';
import type { EmbeddingTotals } from '../../stores/postgres/embeddings/embedding-cache.ts';
import type { EmbeddingMetrics } from '../../telemetry/metrics.ts';
import { scrapeStep } from './scrape-step.ts';

/**
 * Counts embeddings since this process started counting, from the database, because workers are not scraped. Every api process counts the same, so
 * dashboards take the largest of them and not their sum. Returns the step that a scrape runs; it never fails.
 */
export function createEmbeddingObserver(pool: pg.Pool, metrics: EmbeddingMetrics): () => Promise<void> {
  let seen: ReadonlyMap<string, EmbeddingTotals> | null = null;

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

  return scrapeStep(look);
}
