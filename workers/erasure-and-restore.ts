import { createHash } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type pg from 'pg';
import { publicKeyOf } from '../activities/backup/manifest.ts';
import { createErasureActivities } from '../activities/erasure/create-erasure-activities.ts';
import { createExportImportActivities } from '../activities/export-import/create-export-import-activities.ts';
import { createRestoreActivities } from '../activities/restore/create-restore-activities.ts';
import type { Config } from '../config/config.ts';
import type { IndexModel } from '../domain/index-model.ts';
import type { VectorIndex } from '../domain/ports/vector-index.ts';
import type { WorkflowHints } from '../domain/ports/workflow-hints.ts';
import { archiveStoreAt, createArchiveStore } from '../stores/archive/create-archive-store.ts';
import { directoryStoreAt } from '../stores/files/directory-store.ts';
import type { Database } from '../stores/postgres/connection/database.ts';
import { createPool } from '../stores/postgres/connection/pool.ts';
import { tenantScopeOf } from '../stores/postgres/connection/tenant-scope.ts';
import { endTenantWorkflows } from '../stores/temporal/end-workflows.ts';
import { createWeaviateIndex } from '../stores/weaviate/weaviate-index.ts';
import { journalsOf, readBackupKeys } from './backup-activities.ts';
import { ERASURE_POOL } from './pools.ts';

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

/** One statement searches a hundred sessions for a text, and a few forget a session. */
const STATEMENT_MS = 300_000;

/** Activities of erasures, exports and imports of files, over the stores that the settings name; and how what they opened is closed. */
export function erasureActivitiesOf(
  config: Config,
  parts: {
    readonly database: Database;
    /** URL of the maintenance role. */
    readonly maintenanceUrl: string;
    readonly onIdleError: (error: Error) => void;
    readonly vectors: VectorIndex;
    readonly hints: WorkflowHints;
    readonly embeddingModel: IndexModel;
    readonly clock: { readonly now: () => number };
  },
) {
  const { hints, clock } = parts;
  // A separate pool: an export uses its connection until it is written, and the sweep must not wait for it.
  const maintenance = createPool({
    url: parts.maintenanceUrl,
    max: ERASURE_POOL,
    connectTimeoutMs: config.database.connectTimeoutMs,
    statementTimeoutMs: STATEMENT_MS,
    applicationName: 'recollect-erasure',
    onIdleError: parts.onIdleError,
  });
  const scope = tenantScopeOf(maintenance);
  const archive = archiveStoreAt(config.archive.address, config.s3);
  const activities = {
    ...createErasureActivities({
      ...parts,
      maintenance,
      scope,
      fullValues: directoryStoreAt(config.fullValuesDir),
      archive,
      journals: journalsOf(config),
      signingKey: config.backups.signingKey,
      now: clock.now,
    }),
    ...createExportImportActivities({
      maintenance,
      scope,
      hints,
      archive,
      embeddingModel: parts.embeddingModel,
      now: clock.now,
      signingKey: config.backups.signingKey,
    }),
  };
  return {
    activities,
    close: async () => {
      await scope.close();
      await maintenance.end();
    },
  };
}
