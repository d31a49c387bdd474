import { z } from 'zod';
import {
  NAMED_STORES,
  RESTORE_KINDS,
  RESTORE_PHASES,
  RESTORE_STATES,
  restoreCounts,
  restoreResult,
} from '../stores/postgres/backups/restores.ts';
import type { StoredRestore } from '../stores/postgres/backups/restores.ts';

const backupId = z.uuid().describe('Of a backup set; the newest where it is left out');
const store = z
  .enum(NAMED_STORES)
  .default('backup')
  .describe(
    'Store of the settings that the set is read from: RECOLLECT_BACKUP_STORE or RECOLLECT_BACKUP_COPY_STORE. Another place, or another signer than the settings trust, is named on the machine itself (recollect restore --from, --signer)',
  );

export const restoreBody = z.strictObject({
  set: backupId.optional(),
  store,
  overwrite: z.boolean().default(false).describe('Replace an instance that has sessions or learnings'),
  dry_run: z.boolean().default(false).describe('Only read the set through, every byte of it, and change nothing'),
});

export const drillBody = z.strictObject({
  set: backupId.optional(),
  store,
});

export const restoreSchema = z
  .object({
    id: z.string(),
    job_id: z.string(),
    kind: z.enum(RESTORE_KINDS),
    set: z.string().nullable(),
    store: z
      .string()
      .nullable()
      .describe(
        'Null: RECOLLECT_BACKUP_STORE; `copy`: RECOLLECT_BACKUP_COPY_STORE; else a place that was named on the machine',
      ),
    overwrite: z.boolean(),
    dry_run: z.boolean(),
    state: z.enum(RESTORE_STATES),
    phase: z.enum(RESTORE_PHASES),
    counts: restoreCounts,
    result: restoreResult.nullable().describe('What was compared, and how it came out'),
    error: z.string().nullable(),
    message: z.string().nullable(),
    created_at: z.string(),
    finished_at: z.string().nullable(),
  })
  .meta({ id: 'Restore' });

/** A restore as it is answered. */
export function presentRestore(restore: StoredRestore): z.input<typeof restoreSchema> {
  return {
    id: restore.id,
    job_id: `restore.${restore.id}`,
    kind: restore.kind,
    set: restore.backupId,
    store: restore.store,
    overwrite: restore.overwrite,
    dry_run: restore.dryRun,
    state: restore.state,
    phase: restore.phase,
    counts: restore.counts,
    result: restore.result,
    error: restore.error,
    message: restore.message,
    created_at: restore.createdAt.toISOString(),
    finished_at: restore.finishedAt?.toISOString() ?? null,
  };
}
