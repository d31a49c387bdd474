import { z } from 'zod';
import type { StoredBackup } from '../stores/postgres/backups/backups.ts';

const count = z.number().int();
const moment = z.string().nullable();

export const backupSchema = z
  .object({
    id: z.string().describe('Of the backup, and of its set in the store'),
    job_id: z.string().nullable().describe('Its job; null where the schedule began it'),
    state: z.enum(['running', 'completed', 'failed', 'cancelled']),
    error: moment.describe('Type of what ended it'),
    requested_by: moment.describe('User who asked; null: the schedule'),
    created_at: z.string(),
    finished_at: moment,
    snapshot_at: moment.describe('The set holds what was committed before'),
    whole: z.boolean().describe('There is a set with a manifest, also where its copy failed'),
    files: count,
    rows: count,
    vectors: count,
    bytes: count.describe('As stored'),
    plain_bytes: count.describe('Before compression'),
    encryption_key: moment.describe('Name of the key; null: not encrypted'),
    manifest_sha256: moment,
    verified_at: moment.describe('When it was last found good'),
    verified_how: z
      .enum(['read', 'drill'])
      .nullable()
      .describe('Read back to its last byte, or restored beside the running instance'),
    verify_error: moment.describe('Type of what the last look at it found'),
    copied_at: moment,
    copy_verified_at: moment.describe('When the copy was read back and found the same'),
    removed_at: moment.describe('When its files were taken away'),
  })
  .meta({ id: 'Backup' });

export const backupsSchema = z.object({
  data: z.array(backupSchema),
  pagination: z.object({ limit: count, next_cursor: z.string().nullable() }),
});

const iso = (at: Date | null): string | null => at?.toISOString() ?? null;

/** A backup as the API answers it. */
export function presentBackup(row: StoredBackup): z.input<typeof backupSchema> {
  return {
    id: row.id,
    job_id: row.workflowId.startsWith('job/') ? `backup.${row.id}` : null,
    state: row.state,
    error: row.error,
    requested_by: row.requestedBy,
    created_at: row.createdAt.toISOString(),
    finished_at: iso(row.finishedAt),
    snapshot_at: iso(row.snapshotAt),
    whole: row.manifestSha256 !== null && row.removedAt === null,
    files: row.files,
    rows: row.rows,
    vectors: row.vectors,
    bytes: row.bytes,
    plain_bytes: row.plainBytes,
    encryption_key: row.keyId,
    manifest_sha256: row.manifestSha256,
    verified_at: iso(row.verifiedAt),
    verified_how: row.verifiedHow,
    verify_error: row.verifyError,
    copied_at: iso(row.copiedAt),
    copy_verified_at: iso(row.copyVerifiedAt),
    removed_at: iso(row.removedAt),
  };
}
