import type pg from 'pg';
import { createRetentionActivities } from '../activities/retention/create-retention-activities.ts';
import type { Config } from '../config/config.ts';
import type { IndexModel } from '../domain/index-model.ts';
import type { WorkflowHints } from '../domain/ports/workflow-hints.ts';
import { archiveStoreAt } from '../stores/archive/create-archive-store.ts';
import { directoryStoreAt } from '../stores/files/directory-store.ts';
import type { Database } from '../stores/postgres/connection/database.ts';

/** Activities of the maintenance queue for retention and archives. */
export function createWorkerRetention(
  config: Config,
  parts: {
    readonly database: Database;
    readonly maintenance: pg.Pool;
    readonly hints: WorkflowHints;
    readonly embeddingModel: IndexModel;
  },
) {
  return createRetentionActivities({
    ...parts,
    archives: archiveStoreAt(config.archive.address, config.s3),
    objects: directoryStoreAt(config.fullValuesDir),
    clock: { now: () => Date.now() },
  });
}
