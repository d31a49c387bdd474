import type pg from 'pg';
import { z } from 'zod';

/** What the steps of a backup note of it. They take connections of the maintenance role. */

export interface BackupCounts {
  readonly files: number;
  readonly rows: number;
  readonly vectors: number;
  readonly bytes: number;
  readonly plainBytes: number;
}

/**
 * Notes that a set is being written, by whoever holds the lock of backups. Others that are still told to be written were given up: their
 * workflows are gone, or say so themselves when they go on.
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

/** Shows how far the writing of a set came. */
export async function noteProgress(maintenance: pg.Pool, id: string, counts: BackupCounts): Promise<void> {
  await maintenance.query(`UPDATE backups SET ${COUNTS} WHERE id = $1`, [id, ...valuesOf(counts)]);
}

/** Notes that a set is whole. A set that the instance did not know of is known from then on. */
export async function recordFullValue(
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

/** Notes that the set lies off-site, then that it was read back there. */
export async function noteCopy(maintenance: pg.Pool, id: string, step: 'copied' | 'verified'): Promise<void> {
  const column = step === 'copied' ? 'copied_at' : 'copy_verified_at';
  await maintenance.query(`UPDATE backups SET ${column} = now() WHERE id = $1`, [id]);
}

/** Notes that a set was found good, or the type of what was found instead. */
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

/** Notes that the files of these sets were taken away. */
export async function noteRemoved(maintenance: pg.Pool, ids: readonly string[]): Promise<void> {
  await maintenance.query('UPDATE backups SET removed_at = now() WHERE id = ANY ($1::uuid[]) AND removed_at IS NULL', [
    ids,
  ]);
}

/** Says how a backup ended, with the type of what ended it. */
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

const idRow = z.object({ id: z.string() });

/** Those of some sets that this instance began. */
export async function setsKnown(maintenance: pg.Pool, ids: readonly string[]): Promise<string[]> {
  const { rows } = await maintenance.query('SELECT id FROM backups WHERE id = ANY ($1::uuid[])', [ids]);
  return z
    .array(idRow)
    .parse(rows)
    .map(({ id }) => id);
}

/** Whole sets beside this one that were never found good in the other place, the newest first; a few at a time, so that a backup ends. */
export async function setsToCopy(maintenance: pg.Pool, besides: string): Promise<string[]> {
  const { rows } = await maintenance.query(
    `SELECT id FROM backups WHERE manifest_sha256 IS NOT NULL AND removed_at IS NULL AND copy_verified_at IS NULL AND id <> $1
      ORDER BY snapshot_at DESC NULLS LAST LIMIT 4`,
    [besides],
  );
  return z
    .array(idRow)
    .parse(rows)
    .map(({ id }) => id);
}

/** Sets that a restore or a drill is reading: they stay until it is done, however old they are. */
export async function setsBeingRead(maintenance: pg.Pool): Promise<string[]> {
  const { rows } = await maintenance.query(
    "SELECT backup_id AS id FROM restores WHERE state = 'running' AND backup_id IS NOT NULL",
  );
  return z
    .array(idRow)
    .parse(rows)
    .map(({ id }) => id);
}

/** The newest set that was found good, and no other finding since; null where none was. */
export async function lastVerified(maintenance: pg.Pool): Promise<string | null> {
  const { rows } = await maintenance.query(
    'SELECT id FROM backups WHERE verified_at IS NOT NULL AND verify_error IS NULL AND removed_at IS NULL ORDER BY snapshot_at DESC NULLS LAST LIMIT 1',
  );
  return z.array(idRow).parse(rows)[0]?.id ?? null;
}
