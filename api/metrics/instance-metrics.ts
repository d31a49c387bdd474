import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import type { Gauge } from 'prom-client';
import type { Config } from '../../config/config.ts';
import { readInstanceFigures } from '../../stores/postgres/statistics/instance-figures.ts';
import type { ScheduleTimes } from '../../stores/temporal/schedule-times.ts';
import type { FigureMetrics, ScheduleMetrics } from '../../telemetry/instance-metrics.ts';

/** Label of the figures that have several values. */
const LABELS: ReadonlyMap<string, string> = new Map([
  ['sessions', 'phase'],
  ['windows', 'state'],
  ['vectors', 'state'],
  ['rows', 'table'],
]);

/** Sets the figures of the instance. Returns the read of a scrape. */
export function createFigureObserver(pool: pg.Pool, gauges: FigureMetrics, dailyTokens: number): () => Promise<void> {
  const byName = new Map<string, Gauge>(Object.entries(gauges));
  return async () => {
    const figures = await readInstanceFigures(pool, dailyTokens);
    // A phase or state without rows has no figure.
    for (const name of LABELS.keys()) byName.get(name)?.reset();
    for (const { figure, label, value } of figures) {
      const labelName = LABELS.get(figure);
      byName.get(figure)?.set(labelName === undefined ? {} : { [labelName]: label }, value);
    }
  };
}

/** Temporal is read this often, in ms: each read is two requests a schedule. */
const SCHEDULES_MS = 60_000;

/**
 * Sets times of schedules, at most once a minute. The newest end remains when Temporal has deleted the run, which it does after a week. Returns the read
 * of a scrape.
 */
export function createScheduleObserver(
  read: () => Promise<readonly ScheduleTimes[]>,
  gauges: ScheduleMetrics,
  now: () => number,
): () => Promise<void> {
  const ends = new Map<string, number>();
  let readMs = Number.NEGATIVE_INFINITY;
  return async () => {
    if (now() - readMs < SCHEDULES_MS) return;
    const schedules = await read();
    readMs = now();
    gauges.interval.reset();
    for (const { name: schedule, createdAt, lastSuccessAt, intervalMs, isPaused } of schedules) {
      const end = Math.max(ends.get(schedule) ?? 0, (lastSuccessAt ?? createdAt).getTime());
      ends.set(schedule, end);
      gauges.success.set({ schedule }, end / 1_000);
      if (!isPaused && intervalMs !== null) gauges.interval.set({ schedule }, intervalMs / 1_000);
    }
  };
}

/** Sets the end of the certificate; the file is read each time, as it is replaced while the api runs. Returns the read of a scrape. */
export function createCertificateObserver(tls: Config['http']['tls'], gauge: Gauge): () => Promise<void> {
  return async () => {
    if (tls === null) return;
    gauge.set(new X509Certificate(await readFile(tls.certFile)).validToDate.getTime() / 1_000);
  };
}
