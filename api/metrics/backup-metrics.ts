import type pg from 'pg';
import { listBackups } from '../../stores/postgres/backups/backups.ts';
import type { StoredBackup } from '../../stores/postgres/backups/backups.ts';
import type { BackupMetrics } from '../../telemetry/metrics.ts';
import { scrapeStep } from './scrape-step.ts';

/** Among so many of the last backups is one that was whole, and one that was found good, or an alert is due. */
const LOOKED_AT = 100;

function ageSeconds(at: Date | null | undefined): number {
  return at === null || at === undefined ? Number.POSITIVE_INFINITY : Math.max(0, (Date.now() - at.getTime()) / 1_000);
}

/**
 * Shows the age and the size of the last whole set and the ages of the last one that was found good and of the last one whose copy was; an age without
 * end where there is none. Returns the step that a scrape runs; it never fails.
 */
export function createBackupObserver(pool: pg.Pool, metrics: BackupMetrics): () => Promise<void> {
  const look = async (): Promise<void> => {
    const whole = (await listBackups(pool, null, LOOKED_AT)).filter(
      ({ manifestSha256, removedAt }) => manifestSha256 !== null && removedAt === null,
    );
    const newest = (is: (row: StoredBackup) => boolean): StoredBackup | undefined => whole.find(is);
    metrics.age.set(ageSeconds(whole[0]?.snapshotAt));
    metrics.bytes.set(whole[0]?.bytes ?? 0);
    metrics.verifiedAge.set(
      ageSeconds(newest((row) => row.verifiedAt !== null && row.verifyError === null)?.snapshotAt),
    );
    metrics.copyAge.set(ageSeconds(newest((row) => row.copyVerifiedAt !== null)?.snapshotAt));
  };
  return scrapeStep(look);
}
