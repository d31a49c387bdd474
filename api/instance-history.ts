import type { z } from 'zod';
import type { instanceHistorySchema } from '../contract/operations.ts';
import { ratesBetween, sumRates } from '../domain/instance-history.ts';
import type { Counted } from '../domain/instance-history.ts';
import type { StoredSample } from '../stores/postgres/statistics/instance-samples.ts';

type History = z.input<typeof instanceHistorySchema>['data'];

const iso = (ms: number): string => new Date(ms).toISOString();

/** Returns the history of the instance from the samples of its processes, which are ordered by time: one point for each that a worker took. */
export function historyOf(samples: readonly StoredSample[]): History {
  const before = new Map<string, Counted>();
  const points: History = [];
  for (const rows of Map.groupBy(samples, ({ slot }) => slot).values()) {
    const apis = rows.flatMap((row) => (row.source === 'worker' ? [] : [row]));
    const rates = apis.map(({ source, takenAt, figures: { captures, searches, requests } }) => {
      const now = { atMs: takenAt, counts: { captures, searches, requests } };
      const since = ratesBetween(before.get(source) ?? null, now);
      before.set(source, now);
      return since;
    });
    const worker = rows.find((row) => row.source === 'worker');
    if (worker === undefined) continue;
    const { sessions, rows: waiting, oldest_s, windows, vectors, ...figures } = worker.figures;
    points.push({
      at: iso(worker.slot),
      rates: sumRates(rates),
      behind: { sessions, rows: waiting, oldest_s, windows, vectors },
      memory: {
        api_bytes: apis.length === 0 ? null : apis.reduce((sum, api) => sum + api.figures.memory_bytes, 0),
        worker_bytes: figures.memory_bytes,
        machine_used_bytes: figures.machine_used_bytes,
        machine_limit_bytes: figures.machine_limit_bytes,
      },
      database_bytes: figures.database_bytes,
      backup_at: figures.backup_ms === null ? null : iso(figures.backup_ms),
      usd_today: figures.usd_today,
    });
  }
  return points;
}
