import type { Backup } from '../server/operations.ts';
import { table } from '../output.ts';
import { ago } from './time-text.ts';

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'] as const;

/** Returns a size with three digits in the largest decimal unit. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : Number(value.toPrecision(3))} ${UNITS[unit] ?? ''}`;
}

function verifiedText({ verified_at: at, verified_how: how, verify_error: error }: Backup, now: number): string {
  if (error !== null) return error;
  return at === null ? '-' : `${how ?? 'read'} ${ago(at, now)} ago`;
}

function stateText({ state, error, complete, removed_at: removedAt }: Backup): string {
  if (removedAt !== null) return 'removed';
  if (error === null) return state;
  return complete ? `${state}: ${error} (backup set complete)` : `${state}: ${error}`;
}

/** Returns backups as a table, newest first. */
export function backupTable(backups: readonly Backup[], now: number): string {
  return table([
    ['BACKUP', 'STATE', 'AGE', 'ROWS', 'VECTORS', 'SIZE', 'KEY', 'VERIFIED', 'COPY'],
    ...backups.map((backup) => [
      backup.id,
      stateText(backup),
      ago(backup.snapshot_at ?? backup.created_at, now),
      backup.rows.toLocaleString('en-US'),
      backup.vectors.toLocaleString('en-US'),
      sizeText(backup.bytes),
      backup.encryption_key ?? '-',
      verifiedText(backup, now),
      backup.copy_verified_at === null ? '-' : 'verified',
    ]),
  ]);
}

/** Returns the figures of a completed backup in one line. */
export function backupLine(backup: Backup): string {
  const { rows, vectors, files, bytes, plain_bytes: plainBytes } = backup;
  return `${backup.id}: ${rows.toLocaleString('en-US')} rows and ${vectors.toLocaleString('en-US')} vectors in ${files} files, ${sizeText(bytes)} (${sizeText(plainBytes)} before compression)${backup.encryption_key === null ? '' : ', encrypted'}${backup.copy_verified_at === null ? '' : ', copied and verified'}.\n`;
}
