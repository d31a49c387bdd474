import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { Priority } from '@temporalio/common';
import type { RestoreKind } from '../../domain/jobs.ts';
import { ATTRIBUTES, KINDS, PRIORITIES, QUEUES } from '../../workflows/registry.ts';
import type { WorkflowInput, WorkflowName } from '../../workflows/registry.ts';
import { workflowIdOfJob } from './job-ids.ts';
import { answeredWithin } from './unavailable.ts';

const TIMEOUT_MS = 5_000;

/**
 * Options of every start of a tenant's workflow; `subject` completes its id. A running workflow continues; one that was lost or has ended starts
 * again from its rows.
 */
export function startOptions<Name extends WorkflowName>(
  name: Name,
  tenantId: string,
  subject: string,
  input: WorkflowInput<Name>,
) {
  // One tenant's thousand live workflows must not keep another one's waiting.
  const priority: Priority = { fairnessKey: tenantId, priorityKey: PRIORITIES[name === 'index' ? 'index' : 'usual'] };
  return {
    workflowId: workflowIdOfJob(tenantId, { kind: KINDS[name], subject }),
    taskQueue: QUEUES.session,
    args: [input] as [WorkflowInput<Name>],
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    typedSearchAttributes: new TypedSearchAttributes([{ key: ATTRIBUTES.tenant, value: tenantId }]),
    priority,
  };
}

/** Workflows that restore a backup. */
export const RESTORE_WORKFLOWS = { restore: 'restoreRun', drill: 'restoreDrill' } as const satisfies Record<
  RestoreKind,
  WorkflowName
>;

/** Starts the workflow of a job. @throws TemporalUnavailable */
export type StartJob = <Name extends WorkflowName>(
  name: Name,
  tenantId: string,
  subject: string,
  input: WorkflowInput<Name>,
) => Promise<void>;

/** Returns the start of jobs through a client. */
export function createStartJob(client: Client): StartJob {
  return async (name, tenantId, subject, input) => {
    const options = startOptions(name, tenantId, subject, input);
    await answeredWithin(client, TIMEOUT_MS, () => client.workflow.start(name, options));
  };
}
