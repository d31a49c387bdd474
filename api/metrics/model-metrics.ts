import type pg from 'pg';
import { readModelActivity } from '../../stores/postgres/usage/usage-ledger.ts';
import type { ModelMetrics, EmbeddingMetrics } from '../../telemetry/ledger-metrics.ts';
import { readEmbeddingTotals } from '../../stores/postgres/embeddings/embedding-cache.ts';
import type { EmbeddingTotals } from '../../stores/postgres/embeddings/embedding-cache.ts';

/**
 * Counts embeddings since this process started counting, from the database, because workers are not scraped. Every api process counts the same, so
 * dashboards take the largest of them and not their sum. Returns the read of a scrape.
 */
export function createEmbeddingObserver(pool: pg.Pool, metrics: EmbeddingMetrics): () => Promise<void> {
  let seen: ReadonlyMap<string, EmbeddingTotals> | null = null;

  return async () => {
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
}

/** Delay of reading recorded calls, in ms, so that transactions open during a read are not missed. */
const LAG_MS = 10_000;

/**
 * Counts model calls since this process started, from the ledger, because workers are not scraped. Every api process
 * counts the same, so dashboards take the largest of them and not their sum. Returns the read of a scrape.
 */
export function createModelObserver(pool: pg.Pool, metrics: ModelMetrics, now: () => number): () => Promise<void> {
  let seenMs = now() - LAG_MS;

  return async () => {
    const upToMs = now() - LAG_MS;
    if (upToMs <= seenMs) return;
    const { calls, budgetAlerts, claimsDropped } = await readModelActivity(pool, seenMs, upToMs);
    seenMs = upToMs;
    for (const sums of calls) {
      const { provider, model, operation } = sums;
      if (sums.cache_hit) {
        metrics.cacheHits.inc({ operation }, sums.calls);
        continue;
      }
      metrics.calls.inc({ provider, model, operation, batch: String(sums.batch) }, sums.calls);
      metrics.tokens.inc({ provider, model, kind: 'in' }, sums.input_tokens);
      metrics.tokens.inc({ provider, model, kind: 'out' }, sums.output_tokens);
      metrics.tokens.inc({ provider, model, kind: 'cached' }, sums.tokens_cached);
      metrics.usd.inc({ provider, model }, sums.usd);
      metrics.seconds.inc({ provider, model }, sums.seconds);
    }
    metrics.budgetAlerts.inc(budgetAlerts);
    metrics.claimsDropped.inc(claimsDropped);
  };
}
