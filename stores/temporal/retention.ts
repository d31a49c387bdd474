import type { Client } from '@temporalio/client';
import { retentionWorkflowId } from '../../workflows/ids.ts';
import { ARCHIVE_RESTORE_WORKFLOW, RETENTION_WORKFLOW } from '../../workflows/retention/messages.ts';
import type { ArchiveRestoreInput, RetentionInput } from '../../workflows/retention/types.ts';
import { startJob } from './start-job.ts';

/** Retention as jobs. Every method rejects with TemporalUnavailable when Temporal is away. */
export interface RetentionJobs {
  /** Starts a run's workflow; one that runs goes on. */
  start(run: { readonly tenantId: string; readonly runId: string }): Promise<void>;
  /** Starts bringing an archive back; one that is under way goes on. */
  restore(input: ArchiveRestoreInput): Promise<void>;
}

/** Retention through Temporal's client. */
export function createRetentionJobs(client: Client): RetentionJobs {
  const start = (type: string, id: string, tenantId: string, input: RetentionInput | ArchiveRestoreInput) =>
    startJob(client, { type, workflowId: retentionWorkflowId(id), tenantId, input });
  return {
    start: ({ tenantId, runId }) => start(RETENTION_WORKFLOW, runId, tenantId, { runId }),
    restore: (input) => start(ARCHIVE_RESTORE_WORKFLOW, input.archiveId, input.tenantId, input),
  };
}
