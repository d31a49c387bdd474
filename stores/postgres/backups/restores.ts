import type pg from 'pg';
import { v7 } from 'uuid';
import { z } from 'zod';
import type { Prisma } from '../../../prisma/generated/client.ts';
import { JOURNAL_FAULTS } from '../../archive/journal.ts';
import type { TenantTransaction } from '../connection/database.ts';

export const RESTORE_KINDS = ['restore', 'drill'] as const;
export type RestoreKind = (typeof RESTORE_KINDS)[number];
export const RESTORE_STATES = ['running', 'completed', 'failed', 'cancelled'] as const;
export type RestoreState = (typeof RESTORE_STATES)[number];
export const RESTORE_PHASES = [
  'checking',
  'copying',
  'indexing',
  'verifying',
  'vectors',
  'swapping',
  'resuming',
] as const;
export type RestorePhase = (typeof RESTORE_PHASES)[number];

/** How far a restore came. */
export const restoreCounts = z.object({
  files_total: z.number().optional(),
  files_done: z.number().optional(),
  /** Of table data, before compression. */
  bytes_total: z.number().optional(),
  bytes_done: z.number().optional(),
  rows_done: z.number().optional(),
  vectors_total: z.number().optional(),
  vectors_done: z.number().optional(),
});
export type RestoreCounts = z.output<typeof restoreCounts>;

const seconds = z.number().nonnegative();

/** What was compared, and how it came out. */
export const restoreResult = z.object({
  /** Of the set; one that was cancelled or failed before its manifest was read has neither. */
  snapshot_at: z.string().optional(),
  recollect_version: z.string().optional(),
  tables: z
    .object({ tables: z.number(), rows: z.number(), files: z.number(), different: z.array(z.string()) })
    .optional(),
  foreign_keys: z.object({ all: z.number(), invalid: z.number() }).optional(),
  queries: z.object({ asked: z.number(), different: z.number() }).optional(),
  vectors: z
    .object({
      tenants: z.number(),
      objects: z.number(),
      /** Wanted again, because the set or the index does not have them. */
      pending: z.number(),
      /** Indexes of tenants whose vectors were not found by themselves. */
      unproved: z.number(),
    })
    .optional(),
  migrations: z.number().optional(),
  /** Files of archived sessions that were not in the archive store: brought back from beside the set, and found nowhere. */
  files: z.object({ restored: z.number(), missing: z.number() }).optional(),
  /** Rows that were erased or forgotten since the snapshot, and went again. */
  erasures: z.number().optional(),
  /** The journals of erasures: how many erasures were done again, and how many entries are missing or not followed, by what is wrong with them. */
  journal: z
    .object({
      erasures: z.number(),
      faults: z.partialRecord(z.enum(JOURNAL_FAULTS), z.number()),
      examples: z.array(z.string()),
    })
    .optional(),
  sessions_resumed: z.number().optional(),
  /** Name of the database that was replaced. */
  replaced: z.string().optional(),
  seconds: z
    .object({ copy: seconds, index: seconds, check: seconds, vectors: seconds, total: seconds })
    .partial()
    .optional(),
  /** Table data a second, from the first byte read to the indexes built. */
  mb_per_second: z.number().optional(),
});
export type RestoreResult = z.output<typeof restoreResult>;

/** How a store of the settings is named by whoever may name no address. */
export const NAMED_STORES = ['backup', 'copy'] as const;

/** The address of a restore's row by which the copy of the settings is meant. */
export const COPY_ADDRESS = 'copy';

export interface RestoreRequest {
  readonly kind: RestoreKind;
  /** Null: the newest. */
  readonly setId: string | null;
  /** Null: the instance's own store. {@link COPY_ADDRESS}, or where else the set is read, which the api cannot write. */
  readonly address: string | null;
  /** Fingerprint of a signer that the settings do not trust; the api cannot write it. */
  readonly signer: string | null;
  readonly overwrite: boolean;
  readonly dryRun: boolean;
}

export interface StoredRestore extends RestoreRequest {
  readonly id: string;
  readonly state: RestoreState;
  readonly phase: RestorePhase;
  readonly counts: RestoreCounts;
  readonly result: RestoreResult | null;
  readonly error: string | null;
  readonly message: string | null;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

function present(row: Prisma.RestoreGetPayload<object>): StoredRestore {
  return {
    id: row.id,
    kind: z.enum(RESTORE_KINDS).parse(row.kind),
    setId: row.setId,
    address: row.address,
    signer: row.signer,
    overwrite: row.overwrite,
    dryRun: row.dryRun,
    state: z.enum(RESTORE_STATES).parse(row.state),
    phase: z.enum(RESTORE_PHASES).parse(row.phase),
    counts: restoreCounts.parse(row.counts),
    result: row.result === null ? null : restoreResult.parse(row.result),
    error: row.error,
    message: row.message,
    createdAt: row.createdAt,
    finishedAt: row.finishedAt,
  };
}

/** One restore; null when there is none such, or it is not the operator who asks. */
export async function readRestore(transaction: TenantTransaction, id: string): Promise<StoredRestore | null> {
  const row = await transaction.restore.findUnique({ where: { id } });
  return row === null ? null : present(row);
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
  return rows.map(present);
}

/**
 * A new restore; where one runs already, that one, if it was asked for in the same words, so that a request may be repeated; else null: there is one
 * at a time. Two requests at once get the same.
 */
export async function openRestore(
  transaction: TenantTransaction,
  userId: string | null,
  request: RestoreRequest,
): Promise<StoredRestore | null> {
  await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('recollect.restore', 0))`;
  const running = await transaction.restore.findFirst({ where: { state: 'running' } });
  if (running === null)
    return present(await transaction.restore.create({ data: { id: v7(), requestedBy: userId, ...request } }));
  const isSame =
    running.kind === request.kind &&
    (request.setId === null || running.setId === request.setId) &&
    running.address === request.address &&
    running.signer === request.signer &&
    running.overwrite === request.overwrite &&
    running.dryRun === request.dryRun;
  return isSame ? present(running) : null;
}

const workRow = z.object({
  id: z.string(),
  kind: z.enum(RESTORE_KINDS),
  set_id: z.string().nullable(),
  address: z.string().nullable(),
  signer: z.string().nullable(),
  overwrite: z.boolean(),
  dry_run: z.boolean(),
  state: z.enum(RESTORE_STATES),
  phase: z.enum(RESTORE_PHASES),
  created_at: z.date(),
  result: restoreResult.nullable(),
});
/** What the steps of a restore need to know of it. */
export type RestoreWork = z.output<typeof workRow>;

/** The row that the steps of a restore work by. @throws Error where there is none */
export async function readRestoreWork(maintenance: pg.Pool, id: string): Promise<RestoreWork> {
  const { rows } = await maintenance.query('SELECT * FROM restores WHERE id = $1', [id]);
  const [row] = z.array(workRow).parse(rows);
  if (row === undefined) throw new Error('a restore without its row');
  return row;
}

/** Names of the databases that restores replaced longer ago than so many days. */
export async function replacedBefore(maintenance: pg.Pool, days: number): Promise<string[]> {
  const { rows } = await maintenance.query<{ name: string }>(
    `SELECT result ->> 'replaced' AS name FROM restores
      WHERE kind = 'restore' AND state <> 'running' AND result ? 'replaced' AND finished_at < now() - make_interval(days => $1)`,
    [days],
  );
  return rows.map(({ name }) => name);
}

/** The drill that is to be done: one of the schedule's that was left in the middle, else a new one; null while somebody's restore or drill runs. */
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
  return z.array(z.object({ id: z.string() })).parse(rows)[0]?.id ?? null;
}

export async function noteSet(maintenance: pg.Pool, id: string, setId: string): Promise<void> {
  await maintenance.query('UPDATE restores SET set_id = $2 WHERE id = $1', [id, setId]);
}

/** Shows what a restore is at; counts and results are added to what is there. */
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

/** Ends a restore that runs. */
export async function endRestore(
  maintenance: pg.Pool,
  id: string,
  state: Exclude<RestoreState, 'running'>,
  error: string | null,
  message: string | null,
): Promise<void> {
  await maintenance.query(
    "UPDATE restores SET state = $2, error = $3, message = $4, finished_at = now() WHERE id = $1 AND state = 'running'",
    [id, state, error, message],
  );
}

/** Notes at a set that it was restored and compared. */
export async function noteVerified(maintenance: pg.Pool, setId: string): Promise<void> {
  await maintenance.query(
    "UPDATE backups SET verified_at = now(), verified_how = 'drill', verify_error = NULL WHERE id = $1",
    [setId],
  );
}

/** Tells the operators of a drill that failed. */
export async function alertDrill(maintenance: pg.Pool, restoreId: string, error: string): Promise<void> {
  await maintenance.query(
    `INSERT INTO system_alerts (id, tenant_id, user_id, type, day, details)
     SELECT uuidv7(), u.tenant_id, u.id, 'restore_drill_failed', (now() AT TIME ZONE 'UTC')::date, jsonb_build_object('restore', $1::text, 'error', $2::text)
       FROM users u JOIN tenants t ON t.id = u.tenant_id WHERE t.is_operator AND u.role = 'admin' AND u.active
     ON CONFLICT (user_id, type, day) DO UPDATE SET details = excluded.details`,
    [restoreId, error],
  );
}
