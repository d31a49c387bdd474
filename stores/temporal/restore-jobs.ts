import type { Client } from '@temporalio/client';
import { restoreWorkflowId } from '../../workflows/ids.ts';
import { DRILL_WORKFLOW, RESTORE_WORKFLOW } from '../../workflows/restore/messages.ts';
import type { RestoreInput } from '../../workflows/restore/types.ts';
import type { RestoreKind } from '../../domain/jobs.ts';
import { startJob } from './start-job.ts';

const WORKFLOWS: Readonly<Record<RestoreKind, string>> = { restore: RESTORE_WORKFLOW, drill: DRILL_WORKFLOW };

/** Restores and drills as jobs. Rejects with TemporalUnavailable when Temporal is away. */
export interface RestoreJobs {
  /** Starts the workflow of a row; one that runs goes on, one that was lost takes up what it had begun. */
  start(kind: RestoreKind, tenantId: string, restoreId: string): Promise<void>;
}

/** Restores through Temporal's client. */
export function createRestoreJobs(client: Client): RestoreJobs {
  return {
    start: (kind, tenantId, restoreId) => {
      const input: RestoreInput = { restoreId };
      return startJob(client, { type: WORKFLOWS[kind], workflowId: restoreWorkflowId(restoreId), tenantId, input });
    },
  };
}
