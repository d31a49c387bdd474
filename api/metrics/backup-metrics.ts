import type pg from 'pg';
import { listBackups } from '../../stores/postgres/backups/backups.ts';
import type { StoredBackup } from '../../stores/postgres/backups/backups.ts';
import type { BackupMetrics } from '../../telemetry/metrics.ts';
import { scrapeStep } from './scrape-step.ts';

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
