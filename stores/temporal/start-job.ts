import type { Client } from '@temporalio/client';
import { TypedSearchAttributes, WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/common';
import { QUEUES } from '../../workflows/queues.ts';
import { SEARCH_ATTRIBUTES } from './search-attributes.ts';
import { answered } from './unavailable.ts';

const TIMEOUT_MS = 5_000;

/** Does one call of Temporal's within the time that somebody waits for an answer. @throws TemporalUnavailable */
export function inTime<Result>(client: Client, work: () => Promise<Result>): Promise<Result> {
  return answered(() => client.withDeadline(Date.now() + TIMEOUT_MS, work));
}

/** The workflow of a job's row, in the name of the tenant whose job it is. */
export interface JobToStart {
  readonly type: string;
  readonly workflowId: string;
  readonly tenantId: string;
  readonly input: object;
}

/**
 * Starts the workflow of a job's row: one that runs goes on, one that was lost, or is over, begins where the row says that it was.
 * @throws TemporalUnavailable
 */
export async function startJob(client: Client, { type, workflowId, tenantId, input }: JobToStart): Promise<void> {
  await inTime(client, () =>
    client.workflow.start(type, {
      workflowId,
      taskQueue: QUEUES.session,
      args: [input],
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
      typedSearchAttributes: new TypedSearchAttributes([{ key: SEARCH_ATTRIBUTES.tenant, value: tenantId }]),
    }),
  );
}
