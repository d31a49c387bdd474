import { z } from 'zod';
import { newestOf } from './shared.ts';
import { RESTORE_KINDS, RESTORE_PHASES, WORK_STATES } from '../domain/jobs.ts';
import { JOURNAL_FAULTS } from '../domain/erasure/erasure-journal.ts';

const count = z.number().int();
const moment = z.string().nullable();

export const backupSchema = z
  .object({
    id: z.string().describe('Id of the backup and of its set in the store'),
    job_id: z.string().nullable().describe('Id of the job; null if the schedule started it'),
    state: z.enum(['running', 'completed', 'failed', 'cancelled']),
    error: moment.describe('Type of the failure'),
    requested_by: moment.describe('User who requested the backup; null: the schedule'),
    created_at: z.string(),
    finished_at: moment,
    snapshot_at: moment.describe('Time of the database snapshot; the backup contains what was committed before it'),
    complete: z.boolean().describe('Whether the backup has a manifest; true even if the off-site copy failed'),
    files: count,
    rows: count,
    vectors: count,
    bytes: count.describe('Size as stored, in bytes'),
    plain_bytes: count.describe('Size before compression, in bytes'),
    encryption_key: moment.describe('Name of the encryption key; null: not encrypted'),
    manifest_sha256: moment,
    verified_at: moment.describe('Time of the last successful verification'),
    verified_how: z
      .enum(['read', 'drill'])
      .nullable()
      .describe('Method of verification: read back completely, or restored beside the running instance'),
    verify_error: moment.describe('Type of the fault that the last verification found'),
    copied_at: moment,
    copy_verified_at: moment.describe('Time at which the copy was read back and matched'),
    removed_at: moment.describe('Time at which the files were deleted'),
  })
  .meta({ id: 'Backup' });

export const backupsSchema = newestOf(backupSchema);

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
  /** Prompts, observations and learnings since the snapshot, which only that database has; absent if they could not be counted. */
  only_replaced: z.number().optional(),
  seconds: z
    .object({ copy: seconds, index: seconds, check: seconds, vectors: seconds, total: seconds })
    .partial()
    .optional(),
  /** Table data a second, from the first byte read to the indexes built. */
  mb_per_second: z.number().optional(),
});

export type RestoreResult = z.output<typeof restoreResult>;

const backupId = z.uuid().describe('Id of a backup; default: the newest');
const store = z
  .enum(['backup', 'copy'])
  .default('backup')
  .describe(
    'Store to read the backup from: RECOLLECT_BACKUP_STORE or RECOLLECT_BACKUP_COPY_STORE. Other stores and signers require the command line on the machine of the instance (recollect restore --from, --signer)',
  );

export const restoreBody = z.strictObject({
  backup_id: backupId.optional(),
  store,
  overwrite: z.boolean().default(false).describe('Replace an instance that has sessions or learnings'),
  dry_run: z.boolean().default(false).describe('Read and verify the complete backup, without restoring'),
});

export const drillBody = z.strictObject({
  backup_id: backupId.optional(),
  store,
});

export const restoreSchema = z
  .object({
    id: z.string(),
    job_id: z.string(),
    kind: z.enum(RESTORE_KINDS),
    backup_id: z.string().nullable(),
    store: z
      .string()
      .nullable()
      .describe(
        'Store of the backup. Null: RECOLLECT_BACKUP_STORE; `copy`: RECOLLECT_BACKUP_COPY_STORE; else a store named on the command line',
      ),
    overwrite: z.boolean(),
    dry_run: z.boolean(),
    state: z.enum(WORK_STATES),
    phase: z.enum(RESTORE_PHASES),
    counts: restoreCounts,
    result: restoreResult.nullable().describe('Results of the verification'),
    error: z.string().nullable(),
    message: z.string().nullable(),
    created_at: z.string(),
    finished_at: z.string().nullable(),
  })
  .meta({ id: 'Restore' });

export const backupVerification = z.object({ id: z.string(), job_id: z.string() });
