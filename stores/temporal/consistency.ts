import type { Client } from '@temporalio/client';
import { CONSISTENCY_WORKFLOW } from '../../workflows/consistency/messages.ts';
import type { ConsistencyInput } from '../../workflows/consistency/types.ts';
import { checkWorkflowId } from '../../workflows/ids.ts';
import { startJob } from './start-job.ts';

/** Comparisons as jobs. */
export interface CheckJobs {
  /** Starts the comparison of a row; one that runs goes on. @throws TemporalUnavailable */
  start(input: ConsistencyInput): Promise<void>;
}

/** Comparisons through Temporal's client. */
export function createCheckJobs(client: Client): CheckJobs {
  return {
    start: (input) =>
      startJob(client, {
        type: CONSISTENCY_WORKFLOW,
        workflowId: checkWorkflowId(input.checkId),
        tenantId: input.tenantId,
        input,
      }),
  };
}
