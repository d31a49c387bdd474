import type pg from 'pg';
import { listBackups } from '../../stores/postgres/backups/backups.ts';
import type { StoredBackup } from '../../stores/postgres/backups/backups.ts';
import type { BackupMetrics, createApiMetrics } from '../../telemetry/metrics.ts';
import { readDivergence } from '../../stores/postgres/consistency/consistency-checks.ts';
import type { Counter, Gauge } from 'prom-client';
import { readDeadlines } from '../../stores/postgres/erasure/gdpr-deadlines.ts';
import { z } from 'zod';
import { setTimeout as pause } from 'node:timers/promises';

/** Maximum wait of a scrape for PostgreSQL, in ms: later results are part of the next scrape. */
const PATIENCE_MS = 1_000;

/**
 * Returns the step of a scrape that reads from PostgreSQL: one read at a time, since two concurrent ones would count twice. It never fails: without
 * PostgreSQL the other metrics are still exported, and the next read continues where the last one ended.
 */
export function scrapeStep(look: () => Promise<void>): () => Promise<void> {
  let looking: Promise<void> | null = null;
  return async () => {
    looking ??= look()
      .catch(() => undefined)
      .finally(() => {
        looking = null;
      });
    await Promise.race([looking, pause(PATIENCE_MS, undefined, { ref: false })]);
  };
}

const totalRow = z.object({ resource: z.string(), action: z.string(), rows: z.coerce.number() });

/**
 * Counts rows processed by retention since this process started counting, from its reports, because workers are not scraped. Returns the step that a scrape
 * runs; it never fails.
 */
export function createRetentionObserver(pool: pg.Pool, rows: Counter<'type' | 'action'>): () => Promise<void> {
  let seen: ReadonlyMap<string, number> | null = null;

  const look = async (): Promise<void> => {
    const result = await pool.query('SELECT resource, action, rows FROM retention_totals()');
    const totals = z.array(totalRow).parse(result.rows);
    for (const { resource: type, action, rows: total } of seen === null ? [] : totals)
      // Reports that went with their tenant take nothing back: a counter never goes down.
      rows.inc({ type, action }, Math.max(0, total - (seen?.get(`${type} ${action}`) ?? 0)));
    seen = new Map(totals.map((total) => [`${total.resource} ${total.action}`, total.rows]));
  };

  return scrapeStep(look);
}

/** Shows what the last comparison of each tenant left. Returns the step that a scrape runs; it never fails. */
export function createDivergenceObserver(
  pool: pg.Pool,
  gauge: ReturnType<typeof createApiMetrics>['indexDivergence'],
): () => Promise<void> {
  const look = async (): Promise<void> => {
    const left = await readDivergence(pool);
    gauge.reset();
    for (const [kind, count] of left) gauge.set({ kind }, count);
  };
  return scrapeStep(look);
}

/** Number of latest backups read: without a complete and a verified one among them, an alert is due. */
const BACKUPS_READ = 100;

function ageSeconds(at: Date | null | undefined): number {
  return at === null || at === undefined ? Number.POSITIVE_INFINITY : Math.max(0, (Date.now() - at.getTime()) / 1_000);
}

/**
 * Sets the age and size of the last complete backup, and the ages of the last verified backup and of the last verified copy; infinity if
 * there is none. Returns the step that a scrape runs; it never fails.
 */
export function createBackupObserver(pool: pg.Pool, metrics: BackupMetrics): () => Promise<void> {
  const look = async (): Promise<void> => {
    const complete = (await listBackups(pool, null, BACKUPS_READ)).filter(
      ({ manifestSha256, removedAt }) => manifestSha256 !== null && removedAt === null,
    );
    const newest = (is: (row: StoredBackup) => boolean): StoredBackup | undefined => complete.find(is);
    metrics.age.set(ageSeconds(complete[0]?.snapshotAt));
    metrics.bytes.set(complete[0]?.bytes ?? 0);
    metrics.verifiedAge.set(
      ageSeconds(newest((row) => row.verifiedAt !== null && row.verifyError === null)?.snapshotAt),
    );
    metrics.copyAge.set(ageSeconds(newest((row) => row.copyVerifiedAt !== null)?.snapshotAt));
  };
  return scrapeStep(look);
}

/** Sets the number of open requests about personal data near or after their deadline. Returns the step that a scrape runs; it never fails. */
export function createDeadlineObserver(pool: pg.Pool, gauge: Gauge<'due'>): () => Promise<void> {
  return scrapeStep(async () => {
    const { overdue, dueSoon } = await readDeadlines(pool);
    gauge.set({ due: 'overdue' }, overdue);
    gauge.set({ due: 'soon' }, dueSoon);
  });
}
