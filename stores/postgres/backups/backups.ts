import type pg from 'pg';
import { z } from 'zod';
import { hexColumn, rowOf } from '../connection/rows.ts';

const count = z.coerce.number().int().nonnegative();
const moment = z.date().nullable();
const backupRow = rowOf({
  id: z.string(),
  state: z.enum(['running', 'completed', 'failed', 'cancelled']),
  /** A user; null: the schedule. */
  requested_by: z.string().nullable(),
  workflow_id: z.string(),
  created_at: z.date(),
  finished_at: moment,
  snapshot_at: moment,
  files: count,
  rows: count,
  vectors: count,
  bytes: count,
  plain_bytes: count,
  key_id: z.string().nullable(),
  /** Hex; null: there is no set. */
  manifest_sha256: hexColumn.nullable(),
  verified_at: moment,
  verified_how: z.enum(['read', 'drill']).nullable(),
  verify_error: z.string().nullable(),
  copied_at: moment,
  copy_verified_at: moment,
  removed_at: moment,
  error: z.string().nullable(),
});

/** A backup as the instance knows of it; times in UTC, sizes in bytes. */
export type StoredBackup = z.output<typeof backupRow>;

const backupRows = z.array(backupRow);
const COLUMNS =
  'id, state, requested_by, workflow_id, created_at, finished_at, snapshot_at, files, rows, vectors, bytes, plain_bytes, key_id, manifest_sha256, verified_at, verified_how, verify_error, copied_at, copy_verified_at, removed_at, error';

/** A page of backups, the newest first, after the one of id `before`. As the application role; for operators alone. */
export async function listBackups(pool: pg.Pool, before: string | null, limit: number): Promise<StoredBackup[]> {
  const { rows } = await pool.query(`SELECT ${COLUMNS} FROM list_backups(NULL, $1, $2)`, [before, limit]);
  return backupRows.parse(rows);
}

const newestRow = rowOf({ kind: z.enum(['complete', 'verified', 'copied']), snapshot_at: moment, bytes: count });

/** Returns time and size of the newest complete backup, the newest verified one and the newest with a verified copy, by kind. As the application role. */
export async function readNewestBackups(pool: pg.Pool) {
  const { rows } = await pool.query('SELECT * FROM newest_backups()');
  return new Map(
    z
      .array(newestRow)
      .parse(rows)
      .map(({ kind, ...newest }) => [kind, newest]),
  );
}

/** One backup; null if it does not exist. As the application role. */
export async function readBackup(pool: pg.Pool, id: string): Promise<StoredBackup | null> {
  const { rows } = await pool.query(`SELECT ${COLUMNS} FROM list_backups($1, NULL, 1)`, [id]);
  return backupRows.parse(rows)[0] ?? null;
}

/** Requests a backup with a new id; returns it, or the running one. As the application role. */
export async function requestBackup(pool: pg.Pool, id: string, userId: string): Promise<StoredBackup> {
  const { rows } = await pool.query(`SELECT ${COLUMNS} FROM request_backup($1, $2)`, [id, userId]);
  return z.tuple([backupRow]).parse(rows)[0];
}
