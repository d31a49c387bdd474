import { createErasureActivities } from '../activities/erasure/create-erasure-activities.ts';
import { createExportImportActivities } from '../activities/export-import/create-export-import-activities.ts';
import type { Config } from '../config/config.ts';
import type { IndexModel } from '../domain/index-model.ts';
import type { VectorIndex } from '../domain/ports/vector-index.ts';
import type { WorkflowHints } from '../domain/ports/workflow-hints.ts';
import { archiveStoreAt } from '../stores/archive/create-archive-store.ts';
import { directoryStoreAt } from '../stores/files/directory-store.ts';
import type { Database } from '../stores/postgres/connection/database.ts';
import { createPool } from '../stores/postgres/connection/pool.ts';
import { tenantScopeOf } from '../stores/postgres/connection/tenant-scope.ts';
import { journalsOf } from './journals.ts';

const CONNECTIONS = 6;
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
    max: CONNECTIONS,
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
