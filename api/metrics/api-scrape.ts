import type pg from 'pg';
import type { Config } from '../../config/config.ts';
import type { ScheduleTimes } from '../../stores/temporal/schedule-times.ts';
import type { ApiMetrics } from '../../telemetry/api-metrics.ts';
import { createDiskObserver, showMemory, showPool } from '../../telemetry/process-metrics.ts';
import { createCertificateObserver, createFigureObserver, createScheduleObserver } from './instance-metrics.ts';
import { createEmbeddingObserver, createModelObserver } from './model-metrics.ts';
import {
  createBackupObserver,
  createDeadlineObserver,
  createDivergenceObserver,
  createRetentionObserver,
} from './operation-metrics.ts';
import { inTurn, withinPatience } from './scrape.ts';

/** What the figures of a scrape are read from. */
export interface ScrapeSources {
  readonly config: Config;
  readonly pool: pg.Pool;
  /** Checks the dependencies and sets their gauges. */
  readonly health: () => Promise<unknown>;
  readonly readSchedules: () => Promise<readonly ScheduleTimes[]>;
  /** Sessions with a pending hint, and open event streams. */
  readonly counts: () => { readonly hints: number; readonly streams: number };
  /** Called when figures cannot be read: once until another read fails or all succeed. */
  readonly onFailure: (step: string, error: unknown) => void;
}

/** Returns the function of a scrape: it reads what is computed then, for a bounded time, and returns all metrics in OpenMetrics. */
export function createApiScrape(
  { config, pool, health, readSchedules, counts, onFailure }: ScrapeSources,
  metrics: ApiMetrics,
): () => Promise<string> {
  const now = () => Date.now();
  const steps = [
    { name: 'figures', read: createFigureObserver(pool, metrics.figures, config.model.userDailyTokens) },
    { name: 'models', read: createModelObserver(pool, metrics.models, now) },
    { name: 'embedding', read: createEmbeddingObserver(pool, metrics.embedding) },
    { name: 'backups', read: createBackupObserver(pool, metrics.backups) },
    { name: 'retention', read: createRetentionObserver(pool, metrics.retentionRows) },
    { name: 'divergence', read: createDivergenceObserver(pool, metrics.indexDivergence) },
    { name: 'deadlines', read: createDeadlineObserver(pool, metrics.gdprRequests) },
  ];
  const onRead = () => metrics.read.set(now() / 1_000);
  const reads = [
    inTurn(steps, { onFailure, onRead }),
    async () => {
      await health();
    },
    createScheduleObserver(readSchedules, metrics.schedules, now),
    createCertificateObserver(config.http.tls, metrics.certificateExpiry),
    createDiskObserver(metrics, {
      cache: config.cacheDir,
      archive: config.archive.address,
      backups: config.backup.address,
      full_values: config.fullValuesDir,
    }),
  ].map((read) => withinPatience(read));
  return async () => {
    await Promise.all(reads.map((read) => read()));
    const { hints, streams } = counts();
    metrics.hintsPending.set(hints);
    metrics.openStreams.set(streams);
    showPool(metrics, 'app', pool);
    showMemory(metrics);
    return metrics.registry.metrics();
  };
}
