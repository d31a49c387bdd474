import type { Client } from '@temporalio/client';
import { ERASURE_WORKFLOW } from '../../workflows/erasure/messages.ts';
import { erasureWorkflowId, exportWorkflowId, importWorkflowId } from '../../workflows/ids.ts';
import { EXPORT_WORKFLOW, PORTABLE_IMPORT_WORKFLOW } from '../../workflows/export-import/messages.ts';
import { startJob } from './start-job.ts';

/** Starts the workflow of a job's row; one that runs goes on, one that was lost begins where the row says that it was. All reject with TemporalUnavailable when Temporal is away. */
export interface KeepJobs {
  erasure(tenantId: string, erasureId: string): Promise<void>;
  export(tenantId: string, exportId: string): Promise<void>;
  fileImport(tenantId: string, importId: string): Promise<void>;
}

/** Erasures, exports and imports of files through Temporal's client. */
export function createKeepJobs(client: Client): KeepJobs {
  const start = (type: string, workflowId: string, tenantId: string, input: object): Promise<void> =>
    startJob(client, { type, workflowId, tenantId, input });
  return {
    erasure: (tenantId, erasureId) =>
      start(ERASURE_WORKFLOW, erasureWorkflowId(erasureId), tenantId, { tenantId, erasureId }),
    export: (tenantId, jobId) => start(EXPORT_WORKFLOW, exportWorkflowId(jobId), tenantId, { tenantId, jobId }),
    fileImport: (tenantId, jobId) =>
      start(PORTABLE_IMPORT_WORKFLOW, importWorkflowId(jobId), tenantId, { tenantId, jobId }),
  };
}
