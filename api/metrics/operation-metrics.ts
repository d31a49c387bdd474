import type pg from 'pg';
import { readNewestBackups } from '../../stores/postgres/backups/backups.ts';
import type { BackupMetrics } from '../../telemetry/instance-metrics.ts';
import { readDivergence } from '../../stores/postgres/consistency/consistency-checks.ts';
import type { Counter, Gauge } from 'prom-client';
import { readDeadlines } from '../../stores/postgres/erasure/gdpr-deadlines.ts';
import { z } from 'zod';

const totalRow = z.object({ resource: z.string(), action: z.string(), rows: z.coerce.number() });

/**
 * Counts rows processed by retention since this process started counting, from its reports, because workers are not scraped. Returns the read of a
 * scrape.
 */
export function createRetentionObserver(pool: pg.Pool, rows: Counter<'type' | 'action'>): () => Promise<void> {
  let seen: ReadonlyMap<string, number> | null = null;

  return async () => {
    const result = await pool.query('SELECT resource, action, rows FROM retention_totals()');
    const totals = z.array(totalRow).parse(result.rows);
    for (const { resource: type, action, rows: total } of seen === null ? [] : totals)
      // Reports that went with their tenant take nothing back: a counter never goes down.
      rows.inc({ type, action }, Math.max(0, total - (seen?.get(`${type} ${action}`) ?? 0)));
    seen = new Map(totals.map((total) => [`${total.resource} ${total.action}`, total.rows]));
  };
}

/** Shows what the last comparison of each tenant left. Returns the read of a scrape. */
export function createDivergenceObserver(pool: pg.Pool, gauge: Gauge<'kind'>): () => Promise<void> {
  return async () => {
    const left = await readDivergence(pool);
    gauge.reset();
    for (const [kind, count] of left) gauge.set({ kind }, count);
  };
}

/** Sets a gauge to a time, in seconds since 1970; without a time it has no value. */
function setTime(gauge: Gauge, at: Date | null | undefined): void {
  if (at === null || at === undefined) gauge.remove();
  else gauge.set(at.getTime() / 1_000);
}

/**
 * Sets time and size of the last complete backup, and the times of the last verified backup and of the last verified copy: times, because an age would
 * be wrong as soon as PostgreSQL is unavailable. Returns the read of a scrape.
 */
export function createBackupObserver(pool: pg.Pool, metrics: BackupMetrics): () => Promise<void> {
  return async () => {
    const newest = await readNewestBackups(pool);
    const complete = newest.get('complete');
    setTime(metrics.success, complete?.snapshotAt);
    if (complete === undefined) metrics.bytes.remove();
    else metrics.bytes.set(complete.bytes);
    setTime(metrics.verified, newest.get('verified')?.snapshotAt);
    setTime(metrics.copied, newest.get('copied')?.snapshotAt);
  };
}

/** Sets the number of open requests about personal data near or after their deadline. Returns the read of a scrape. */
export function createDeadlineObserver(pool: pg.Pool, gauge: Gauge<'due'>): () => Promise<void> {
  return async () => {
    const { overdue, dueSoon } = await readDeadlines(pool);
    gauge.set({ due: 'overdue' }, overdue);
    gauge.set({ due: 'soon' }, dueSoon);
  };
}
