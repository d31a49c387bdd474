import { TypedSearchAttributes } from '@temporalio/common';
import type { Client } from '@temporalio/client';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/client';
import { importWorkflowId } from '../../workflows/ids.ts';
import { QUEUES } from '../../workflows/queues.ts';
import { TRANSCRIPT_IMPORT_WORKFLOW } from '../../workflows/transcripts/messages.ts';
import type { ImportInput } from '../../workflows/transcripts/types.ts';
import { SEARCH_ATTRIBUTES } from './search-attributes.ts';
import { answered, isNotFound } from './unavailable.ts';

const TIMEOUT_MS = 5_000;

/** Imports as jobs. Every method rejects with TemporalUnavailable when Temporal is away. */
export interface ImportJobs {
  /** Starts the import's workflow; one that runs goes on, one that was lost begins where the tables say that it was. */
  start(input: ImportInput): Promise<void>;
  /** Asks it to stop; false when it does not run. */
  cancel(job: { readonly id: string }): Promise<boolean>;
}

/** Imports through Temporal's client. */
export function createImportJobs(client: Client): ImportJobs {
  const inTime = <Result>(work: () => Promise<Result>): Promise<Result> =>
    answered(() => client.withDeadline(Date.now() + TIMEOUT_MS, work));
  return {
    async start(input) {
      await inTime(() =>
        client.workflow.start(TRANSCRIPT_IMPORT_WORKFLOW, {
          workflowId: importWorkflowId(input.importId),
          taskQueue: QUEUES.session,
          args: [input],
          workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
          workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
          typedSearchAttributes: new TypedSearchAttributes([{ key: SEARCH_ATTRIBUTES.tenant, value: input.tenantId }]),
        }),
      );
    },
    async cancel({ id }) {
      try {
        await inTime(() => client.workflow.getHandle(importWorkflowId(id)).cancel());
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },
  };
}
