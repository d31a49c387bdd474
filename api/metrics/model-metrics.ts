import type pg from 'pg';
import { readModelActivity } from '../../stores/postgres/usage/model-totals.ts';
import type { ModelMetrics } from '../../telemetry/metrics.ts';
import { scrapeStep } from './scrape-step.ts';

/** Delay of reading recorded calls, in ms, so that transactions open during a read are not missed. */
const LAG_MS = 10_000;

/**
 * Counts model calls since this process started, from the ledger, because workers are not scraped. Every api process
 * counts the same, so dashboards take the largest of them and not their sum. Returns the step that a scrape runs; it never fails.
 */
export function createModelObserver(pool: pg.Pool, metrics: ModelMetrics, now: () => number): () => Promise<void> {
  let seenMs = now() - LAG_MS;

  const look = async (): Promise<void> => {
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

  return scrapeStep(look);
}
