import { readFile } from 'node:fs/promises';
import type pg from 'pg';
import { createBackupActivities } from '../activities/backup/create-backup-activities.ts';
import { NotConfigured } from '../activities/failures.ts';
import { keysOfFile } from '../config/backup-settings.ts';
import type { Config } from '../config/config.ts';
import { VERSION } from '../config/version.ts';
import type { VectorIndex } from '../domain/ports/vector-index.ts';
import { archiveStoreAt } from '../stores/archive/create-archive-store.ts';

/** The keys that sets are encrypted with, the newest first, as the settings or the key file give them. @throws NotConfigured */
export async function readBackupKeys({ keys, keyFile }: Config['backups']): Promise<readonly Uint8Array[]> {
  if (keyFile === null) return keys;
  const text = await readFile(keyFile, 'utf8').catch((cause: unknown) => {
    throw new NotConfigured('RECOLLECT_BACKUP_KEY_FILE cannot be read', { cause });
  });
  const read = keysOfFile(text);
  if (read === null) throw new NotConfigured('RECOLLECT_BACKUP_KEY_FILE needs keys of 32 bytes in base64, one a line');
  return read;
}

/** Returns the stores of the erasure journals: beside the backup sets, and beside their copies. */
export function journalsOf({ backup, s3 }: Config) {
  return [backup.address, backup.copy].flatMap((address) => archiveStoreAt(address, s3) ?? []);
}

/** Activities of backups, over the stores that the settings name. */
export function backupActivitiesOf(
  config: Config,
  parts: {
    readonly maintenance: pg.Pool;
    readonly databaseUrl: string;
    readonly vectors: VectorIndex;
    readonly isBurst: () => Promise<boolean>;
  },
) {
  return createBackupActivities({
    ...parts,
    connectTimeoutMs: config.database.connectTimeoutMs,
    store: archiveStoreAt(config.backup.address, config.s3),
    copy: archiveStoreAt(config.backup.copy, config.s3),
    archives: archiveStoreAt(config.archive.address, config.s3),
    journals: journalsOf(config),
    keys: () => readBackupKeys(config.backups),
    signingKey: config.backups.signingKey,
    trustedKeys: config.backups.trustedKeys,
    keep: config.backups,
    recollectVersion: VERSION,
  });
}
