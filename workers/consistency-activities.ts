import type pg from 'pg';
import type { Client } from '@temporalio/client';
import { createConsistencyActivities } from '../activities/consistency/create-consistency-activities.ts';
import { createStatisticsActivities } from '../activities/statistics/create-statistics-activities.ts';
import type { Config } from '../config/config.ts';
import type { VectorIndex } from '../domain/ports/vector-index.ts';
import type { WorkflowHints } from '../domain/ports/workflow-hints.ts';
import type { Database } from '../stores/postgres/connection/database.ts';
import { createRunningWorkflows } from '../stores/temporal/running-workflows.ts';

export interface CheckParts {
  readonly config: Config;
  readonly database: Database;
  readonly maintenance: pg.Pool;
  readonly client: Client;
  readonly vectors: VectorIndex;
  readonly hints: WorkflowHints;
}

/** Activities that compare the stores and that write down figures. */
export function createCheckActivities({ config, database, maintenance, client, vectors, hints }: CheckParts) {
  const workflows = createRunningWorkflows(client);
  return {
    ...createConsistencyActivities({
      database,
      maintenance,
      vectors,
      hints,
      workflows,
      repairs: config.consistency.repair,
    }),
    ...createStatisticsActivities({ maintenance }),
  };
}
