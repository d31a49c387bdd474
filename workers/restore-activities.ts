import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { Client } from '@temporalio/client';
import { createRestoreActivities } from '../activities/restore/create-restore-activities.ts';
import type { Config } from '../config/config.ts';
import { publicKeyOf } from '../activities/backup/manifest.ts';
import type { VectorIndex } from '../domain/ports/vector-index.ts';
import type { WorkflowHints } from '../domain/ports/workflow-hints.ts';
import { archiveStoreAt, createArchiveStore } from '../stores/archive/create-archive-store.ts';
import { endTenantWorkflows } from '../stores/temporal/end-workflows.ts';
import { createWeaviateIndex } from '../stores/weaviate/weaviate-index.ts';
import { readBackupKeys } from './backup-activities.ts';
import { journalsOf } from './journals.ts';

/** Two instances may share a Weaviate: each drills in collections of its own. */
function drillPrefix(databaseUrl: string): string {
  const { host, pathname } = new URL(databaseUrl);
  return `RecollectDrill${createHash('sha256').update(`${host}${pathname}`).digest('hex').slice(0, 12)}`;
}

/** Activities of restores and drills, over what the settings name; and how their own connections are closed. */
export function restoreActivitiesOf(
  config: Config,
  parts: {
    readonly maintenance: pg.Pool;
    readonly vectors: VectorIndex;
    readonly hints: WorkflowHints;
    readonly client: Client;
  },
) {
  const { maintenanceUrl, restoreUrl } = config.database;
  const { signingKey, trustedKeys } = config.backups;
  const storeAt = (address: string) => createArchiveStore(address, config.s3);
  const drillVectors = createWeaviateIndex({
    ...config.weaviate,
    collectionPrefix: drillPrefix(config.database.url),
  });
  const activities = createRestoreActivities({
    maintenance: parts.maintenance,
    vectors: parts.vectors,
    hints: parts.hints,
    drillVectors,
    server: maintenanceUrl === undefined || restoreUrl === undefined ? null : { maintenanceUrl, restoreUrl },
    store: archiveStoreAt(config.backup.address, config.s3),
    copy: archiveStoreAt(config.backup.copy, config.s3),
    storeAt,
    access: async () => ({
      keys: await readBackupKeys(config.backups),
      trusted: [...(signingKey === null ? [] : [publicKeyOf(signingKey)]), ...trustedKeys],
    }),
    endWorkflows: () => endTenantWorkflows(parts.client),
    replacedDatabaseKeepDays: config.backups.replacedDatabaseKeepDays,
    archives: archiveStoreAt(config.archive.address, config.s3),
    journals: journalsOf(config),
  });
  return { activities, close: () => drillVectors.close() };
}
