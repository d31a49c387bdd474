import type pg from 'pg';
import { v7 } from 'uuid';
import { z } from 'zod';
import type { TenantTransaction } from '../connection/database.ts';
import { OVERWRITE_REQUIRED, RestoreError } from '../../../domain/backup/sets.ts';
import { RESTORE_KINDS, RESTORE_PHASES, WORK_STATES } from '../../../domain/jobs.ts';
import type { RestoreCounts, RestoreResult } from '../../../contract/backups.ts';
import type { RestorePhase, WorkState } from '../../../domain/jobs.ts';
import { restoreCounts, restoreResult } from '../../../contract/backups.ts';
import { columnOf, idsOf } from '../connection/rows.ts';

export type { RestoreCounts, RestoreResult };

/** Store of a restore's row: RECOLLECT_BACKUP_COPY_STORE. */
export const COPY_STORE = 'copy';

const restoreRow = z.object({
  id: z.string(),
  kind: z.enum(RESTORE_KINDS),
  /** Null: the newest. */
  backupId: z.string().nullable(),
  /** Null: the instance's own store. {@link COPY_STORE}, or where else the set is read, which the api cannot write. */
  store: z.string().nullable(),
  /** Fingerprint of a signer that the settings do not trust; the api cannot write it. */
  signer: z.string().nullable(),
  overwrite: z.boolean(),
  dryRun: z.boolean(),
  state: z.enum(WORK_STATES),
  phase: z.enum(RESTORE_PHASES),
  counts: restoreCounts,
  result: restoreResult.nullable(),
  error: z.string().nullable(),
  message: z.string().nullable(),
  createdAt: z.date(),
  finishedAt: z.date().nullable(),
});
export type StoredRestore = Readonly<z.output<typeof restoreRow>>;
export type RestoreRequest = Pick<StoredRestore, 'kind' | 'backupId' | 'store' | 'signer' | 'overwrite' | 'dryRun'>;

/** Returns a restore; null if it does not exist or the tenant is not the operator. */
export async function readRestore(transaction: TenantTransaction, id: string): Promise<StoredRestore | null> {
  const row = await transaction.restore.findUnique({ where: { id } });
  return restoreRow.nullable().parse(row);
}

/** The newest restores and drills before one of them. */
export async function listRestores(
  transaction: TenantTransaction,
  before: string | null,
  limit: number,
): Promise<StoredRestore[]> {
  const rows = await transaction.restore.findMany({
    where: before === null ? {} : { id: { lt: before } },
    orderBy: { id: 'desc' },
    take: limit,
  });
  return z.array(restoreRow).parse(rows);
}

async function hasMemories(transaction: TenantTransaction): Promise<boolean> {
  const select = { id: true };
  return (
    ((await transaction.session.findFirst({ select })) ?? (await transaction.learning.findFirst({ select }))) !== null
  );
}

/**
 * Opens a restore with the given id. While one is running, returns it if the request is equal, so that requests can be repeated.
 * @throws RestoreError `refused` while another one runs, and for a restore that needs `overwrite`, as far as the tenant's rows show: its first
 * step checks all tenants
 */
export async function openRestore(
  transaction: TenantTransaction,
  userId: string | null,
  request: RestoreRequest,
  id = v7(),
): Promise<StoredRestore> {
  await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('recollect.restore', 0))`;
  const running = await transaction.restore.findFirst({ where: { state: 'running' } });
  if (running === null) {
    if (request.kind === 'restore' && !request.overwrite && !request.dryRun && (await hasMemories(transaction)))
      throw new RestoreError('refused', OVERWRITE_REQUIRED);
    return restoreRow.parse(await transaction.restore.create({ data: { id, requestedBy: userId, ...request } }));
  }
  const isSame =
    running.kind === request.kind &&
    (request.backupId === null || running.backupId === request.backupId) &&
    running.store === request.store &&
    running.signer === request.signer &&
    running.overwrite === request.overwrite &&
    running.dryRun === request.dryRun;
  if (!isSame) throw new RestoreError('refused', 'another restore or drill is running; only one can run at a time');
  return restoreRow.parse(running);
}

const workRow = z.object({
  id: z.string(),
  kind: z.enum(RESTORE_KINDS),
  backup_id: z.string().nullable(),
  store: z.string().nullable(),
  signer: z.string().nullable(),
  overwrite: z.boolean(),
  dry_run: z.boolean(),
  state: z.enum(WORK_STATES),
  phase: z.enum(RESTORE_PHASES),
  created_at: z.date(),
  result: restoreResult.nullable(),
});
/** The row of a restore, for its steps. */
export type RestoreWork = z.output<typeof workRow>;

/** Reads the row of a restore for its steps. @throws Error if there is none */
export async function readRestoreWork(maintenance: pg.Pool, id: string): Promise<RestoreWork> {
  const { rows } = await maintenance.query('SELECT * FROM restores WHERE id = $1', [id]);
  const [row] = z.array(workRow).parse(rows);
  if (row === undefined) throw new Error('the restore has no row');
  return row;
}

/** Names of the databases that restores replaced longer ago than so many days. */
export async function replacedBefore(maintenance: pg.Pool, days: number): Promise<string[]> {
  const { rows } = await maintenance.query(
    `SELECT result ->> 'replaced' AS name FROM restores
      WHERE kind = 'restore' AND state <> 'running' AND result ? 'replaced' AND finished_at < now() - make_interval(days => $1)`,
    [days],
  );
  return columnOf(rows, 'name', z.string());
}

/** Opens the scheduled drill: an interrupted one of the schedule, else a new one; null while another restore or drill runs. */
export async function openScheduledDrill(maintenance: pg.Pool): Promise<string | null> {
  const made = await maintenance.query(
    "INSERT INTO restores (id, kind) VALUES ($1, 'drill') ON CONFLICT (state) WHERE state = 'running' DO NOTHING RETURNING id, kind",
    [v7()],
  );
  const { rows } =
    made.rowCount === 1
      ? made
      : await maintenance.query(
          "SELECT id, kind FROM restores WHERE state = 'running' AND kind = 'drill' AND requested_by IS NULL",
        );
  return idsOf(rows)[0] ?? null;
}

/** Returns the restore that has been running for `graceMs`, by its row, and whose workflow has not done a step; null if there is none. */
export async function unstartedRestore(maintenance: pg.Pool, graceMs: number): Promise<string | null> {
  const { rows } = await maintenance.query(
    `SELECT id FROM restores WHERE kind = 'restore' AND state = 'running' AND phase = 'checking' AND created_at < now() - make_interval(secs => $1 / 1000.0)`,
    [graceMs],
  );
  return idsOf(rows)[0] ?? null;
}

export async function noteSet(maintenance: pg.Pool, id: string, backupId: string): Promise<void> {
  await maintenance.query('UPDATE restores SET backup_id = $2 WHERE id = $1', [id, backupId]);
}

/** Updates phase, counts and results of a restore; merges counts and results. */
export async function noteRestore(
  maintenance: pg.Pool,
  id: string,
  phase: RestorePhase,
  { counts = {}, result = {} }: { readonly counts?: RestoreCounts; readonly result?: Partial<RestoreResult> } = {},
): Promise<void> {
  await maintenance.query(
    `UPDATE restores SET phase = $2, counts = counts || $3::jsonb,
            result = CASE WHEN $4::jsonb = '{}' THEN result ELSE coalesce(result, '{}') || $4::jsonb END
      WHERE id = $1`,
    [id, phase, JSON.stringify(counts), JSON.stringify(result)],
  );
}

/** Ends a running restore. */
export async function endRestore(
  maintenance: pg.Pool,
  id: string,
  state: Exclude<WorkState, 'running'>,
  error: string | null,
  message: string | null,
): Promise<void> {
  await maintenance.query(
    "UPDATE restores SET state = $2, error = $3, message = $4, finished_at = now() WHERE id = $1 AND state = 'running'",
    [id, state, error, message],
  );
}

/** Records that a set was restored and compared. */
export async function noteVerified(maintenance: pg.Pool, backupId: string): Promise<void> {
  await maintenance.query(
    "UPDATE backups SET verified_at = now(), verified_how = 'drill', verify_error = NULL WHERE id = $1",
    [backupId],
  );
}

/** Creates an alert for the operators about a failed drill. */
export async function alertDrill(maintenance: pg.Pool, restoreId: string, error: string): Promise<void> {
  await maintenance.query(
    `INSERT INTO system_alerts (id, tenant_id, user_id, type, day, details)
     SELECT uuidv7(), u.tenant_id, u.id, 'restore_drill_failed', (now() AT TIME ZONE 'UTC')::date, jsonb_build_object('restore', $1::text, 'error', $2::text)
       FROM users u JOIN tenants t ON t.id = u.tenant_id WHERE t.is_operator AND u.role = 'admin' AND u.active
     ON CONFLICT (user_id, type, day) DO UPDATE SET details = excluded.details`,
    [restoreId, error],
  );
}
