import type pg from 'pg';
import type { Config } from '../config/config.ts';
import { createDiskObserver, showMemory, showPool } from '../telemetry/process-metrics.ts';
import { plainText } from '../telemetry/plain-text.ts';
import type { WorkerMetrics } from '../telemetry/worker-metrics.ts';

/** Returns the function of a scrape: it returns the metrics of this process in Prometheus' text format, as those of the SDK are. Sends no request. */
export function createWorkerScrape(
  config: Config,
  metrics: WorkerMetrics,
  pools: Readonly<Record<'app' | 'maintenance' | 'long_statements', pg.Pool>>,
): () => Promise<string> {
  const observeDisks = createDiskObserver(metrics, {
    cache: config.cacheDir,
    archive: config.archive.address,
    backups: config.backup.address,
    full_values: config.fullValuesDir,
  });
  return async () => {
    await observeDisks().catch(() => undefined); // A folder that cannot be read has no figures.
    for (const [pool, counts] of Object.entries(pools)) showPool(metrics, pool, counts);
    showMemory(metrics);
    return plainText(await metrics.registry.metrics());
  };
}
