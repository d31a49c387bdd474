import type pg from 'pg';
import { idsOf } from '../connection/rows.ts';

/** Progress and results of backups. The functions need connections of the maintenance role. */

export interface BackupCounts {
  readonly files: number;
  readonly rows: number;
  readonly vectors: number;
  readonly bytes: number;
  readonly plainBytes: number;
}

/**
 * Starts a backup; the caller has the lock of backups. Marks other running backups as failed: their workflows
 * have ended, or update the row when they continue.
 */
export async function beginBackup(client: pg.ClientBase, id: string, workflowId: string): Promise<void> {
  await client.query(
    `UPDATE backups SET state = 'failed', error = 'Abandoned', finished_at = now() WHERE state = 'running' AND started_at IS NOT NULL AND id <> $1`,
    [id],
  );
  await client.query(
    `INSERT INTO backups (id, workflow_id, started_at) VALUES ($1, $2, now())
     ON CONFLICT (id) DO UPDATE SET state = 'running', started_at = now(), finished_at = NULL, error = NULL,
       files = 0, rows = 0, vectors = 0, bytes = 0, plain_bytes = 0, manifest_sha256 = NULL, removed_at = NULL, snapshot_at = NULL, key_id = NULL,
       verified_at = NULL, verified_how = NULL, verify_error = NULL, copied_at = NULL, copy_verified_at = NULL`,
    [id, workflowId],
  );
}

const COUNTS = 'files = $2, rows = $3, vectors = $4, bytes = $5, plain_bytes = $6';
const valuesOf = ({ files, rows, vectors, bytes, plainBytes }: BackupCounts): number[] => [
  files,
  rows,
  vectors,
  bytes,
  plainBytes,
];

/** Records the progress of a backup. */
export async function noteProgress(maintenance: pg.Pool, id: string, counts: BackupCounts): Promise<void> {
  await maintenance.query(`UPDATE backups SET ${COUNTS} WHERE id = $1`, [id, ...valuesOf(counts)]);
}

/** Records a complete set, also one that this instance did not create. */
export async function recordCompleteSet(
  maintenance: pg.Pool,
  id: string,
  set: BackupCounts & { readonly snapshotAt: string; readonly keyId: string | null; readonly manifestSha256: Buffer },
): Promise<void> {
  await maintenance.query(
    `INSERT INTO backups (id, state, workflow_id, files, rows, vectors, bytes, plain_bytes, snapshot_at, finished_at, key_id, manifest_sha256)
     VALUES ($1, 'completed', '', $2, $3, $4, $5, $6, $7, $7, $8, $9)
     ON CONFLICT (id) DO UPDATE SET ${COUNTS}, snapshot_at = $7, key_id = $8, manifest_sha256 = $9`,
    [id, ...valuesOf(set), set.snapshotAt, set.keyId, set.manifestSha256],
  );
}

/** Records that the set was copied off-site, or that the copy was verified. */
export async function noteCopy(maintenance: pg.Pool, id: string, step: 'copied' | 'verified'): Promise<void> {
  const column = step === 'copied' ? 'copied_at' : 'copy_verified_at';
  await maintenance.query(`UPDATE backups SET ${column} = now() WHERE id = $1`, [id]);
}

/** Records a verification, or the type of its failure. */
export async function noteVerified(
  maintenance: pg.Pool,
  id: string,
  how: 'read' | 'drill',
  error: string | null,
): Promise<void> {
  await maintenance.query(
    `UPDATE backups SET verify_error = $2, verified_at = CASE WHEN $2::text IS NULL THEN now() ELSE verified_at END,
       verified_how = CASE WHEN $2::text IS NULL THEN $3 ELSE verified_how END WHERE id = $1`,
    [id, error, how],
  );
}

/** Records that the files of these sets were deleted. */
export async function noteRemoved(maintenance: pg.Pool, ids: readonly string[]): Promise<void> {
  await maintenance.query('UPDATE backups SET removed_at = now() WHERE id = ANY ($1::uuid[]) AND removed_at IS NULL', [
    ids,
  ]);
}

/** Ends a backup with its state and the type of the failure. */
export async function endBackup(
  maintenance: pg.Pool,
  id: string,
  state: 'completed' | 'failed' | 'cancelled',
  error: string | null,
): Promise<void> {
  await maintenance.query('UPDATE backups SET state = $2, error = $3, finished_at = now() WHERE id = $1', [
    id,
    state,
    error,
  ]);
}

/** Returns the ids that this instance has rows for. */
export async function setsKnown(maintenance: pg.Pool, ids: readonly string[]): Promise<string[]> {
  const { rows } = await maintenance.query('SELECT id FROM backups WHERE id = ANY ($1::uuid[])', [ids]);
  return idsOf(rows);
}

/** Returns up to four complete sets whose copy is not verified, newest first; the bound lets a backup end. */
export async function setsToCopy(maintenance: pg.Pool, besides: string): Promise<string[]> {
  const { rows } = await maintenance.query(
    `SELECT id FROM backups WHERE manifest_sha256 IS NOT NULL AND removed_at IS NULL AND copy_verified_at IS NULL AND id <> $1
      ORDER BY snapshot_at DESC NULLS LAST LIMIT 4`,
    [besides],
  );
  return idsOf(rows);
}

/** Returns the sets that a running restore or drill reads: they are not deleted. */
export async function setsBeingRead(maintenance: pg.Pool): Promise<string[]> {
  const { rows } = await maintenance.query(
    "SELECT backup_id AS id FROM restores WHERE state = 'running' AND backup_id IS NOT NULL",
  );
  return idsOf(rows);
}

/** Returns the newest set whose last verification succeeded; null if there is none. */
export async function lastVerified(maintenance: pg.Pool): Promise<string | null> {
  const { rows } = await maintenance.query(
    'SELECT id FROM backups WHERE verified_at IS NOT NULL AND verify_error IS NULL AND removed_at IS NULL ORDER BY snapshot_at DESC NULLS LAST LIMIT 1',
  );
  return idsOf(rows)[0] ?? null;
}
