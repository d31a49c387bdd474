import type { Client } from '@temporalio/client';
import { importWorkflowId } from '../../workflows/ids.ts';
import { CLAUDE_MEM_IMPORT_WORKFLOW } from '../../workflows/claude-mem/messages.ts';
import { TRANSCRIPT_IMPORT_WORKFLOW } from '../../workflows/transcripts/messages.ts';
import type { ImportInput } from '../../workflows/transcripts/types.ts';
import { inTime, startJob } from './start-job.ts';
import { isNotFound } from './unavailable.ts';

/** What is imported by a workflow of a worker on the machine where it lies. */
export type ImportKind = 'transcripts' | 'claude-mem';
const WORKFLOWS: Readonly<Record<ImportKind, string>> = {
  transcripts: TRANSCRIPT_IMPORT_WORKFLOW,
  'claude-mem': CLAUDE_MEM_IMPORT_WORKFLOW,
};

/** Imports as jobs. Every method rejects with TemporalUnavailable when Temporal is away. */
export interface ImportJobs {
  /** Starts the import's workflow; one that runs goes on, one that was lost begins where the tables say that it was. */
  start(input: ImportInput, kind?: ImportKind): Promise<void>;
  /** Asks it to stop; false when it does not run. */
  cancel(job: { readonly id: string }): Promise<boolean>;
}

/** Imports through Temporal's client. */
export function createImportJobs(client: Client): ImportJobs {
  return {
    start: (input, kind = 'transcripts') =>
      startJob(client, {
        type: WORKFLOWS[kind],
        workflowId: importWorkflowId(input.importId),
        tenantId: input.tenantId,
        input,
      }),
    async cancel({ id }) {
      try {
        await inTime(client, () => client.workflow.getHandle(importWorkflowId(id)).cancel());
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },
  };
}
