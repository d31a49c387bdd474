import type pg from 'pg';
import { v7 } from 'uuid';
import type { Notifications } from '../../stores/postgres/connection/notifications.ts';
import { addProcessSample } from '../../stores/postgres/statistics/instance-samples.ts';
import type { ApiMetrics } from '../../telemetry/api-metrics.ts';

/** Returns the sum of the series of a counter, of those with `labels` if they are given. */
async function total(counter: ApiMetrics['requests' | 'captured' | 'searches'], labels: object = {}): Promise<number> {
  const { values } = await counter.get();
  return values
    .filter((series) => Object.entries(labels).every(([name, value]) => Object(series.labels)[name] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

/** Stores the counters and the memory of this process with each sample of the instance, from the next notification on. */
export function addProcessSamples(
  notifications: Pick<Notifications, 'on'>,
  pool: pg.Pool,
  metrics: ApiMetrics,
  onFailure: (error: unknown) => void,
): void {
  const id = v7();
  const add = async (): Promise<void> =>
    addProcessSample(pool, id, {
      captures: await total(metrics.captured, { outcome: 'accepted' }),
      searches: await total(metrics.searches),
      requests: await total(metrics.requests),
      memory_bytes: process.memoryUsage.rss(),
    });
  notifications.on('instance_sampled', () => void add().catch(onFailure));
}
