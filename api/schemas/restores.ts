import { z } from 'zod';
import {
  RESTORE_KINDS,
  RESTORE_PHASES,
  RESTORE_STATES,
  restoreCounts,
  restoreResult,
} from '../../stores/postgres/restores.ts';
import type { StoredRestore } from '../../stores/postgres/restores.ts';

const setId = z.uuid().describe('Of a backup set; the newest where it is left out');
const address = z
  .string()
  .min(1)
  .max(1_024)
  .regex(/^(?:s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/[A-Za-z0-9._-]+)*\/?|\/.*)$/, {
    error: 'needs the absolute path of a folder, or s3://bucket/prefix',
  })
  .describe('Where the set is read, as the worker sees it; the store of the settings where it is left out');
const signer = z
  .string()
  .regex(/^[0-9a-f]{16}$/, { error: 'needs the 16 hex characters of a fingerprint' })
  .describe('Fingerprint of a signer to trust this once: of another instance, or of this one with an older key');

export const restoreBody = z.strictObject({
  set: setId.optional(),
  store: address.optional(),
  signer: signer.optional(),
  overwrite: z.boolean().default(false).describe('Replace an instance that has sessions or learnings'),
  dry_run: z.boolean().default(false).describe('Only read the set through, every byte of it, and change nothing'),
});

export const drillBody = z.strictObject({
  set: setId.optional(),
  store: address.optional(),
  signer: signer.optional(),
});

export const restoreSchema = z
  .object({
    id: z.string(),
    job_id: z.string(),
    kind: z.enum(RESTORE_KINDS),
    set: z.string().nullable(),
    store: z.string().nullable().describe('Null: that of the settings'),
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
    set: restore.setId,
    store: restore.address,
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
