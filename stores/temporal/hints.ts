import type { Client } from '@temporalio/client';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import { indexWorkflowId, sessionWorkflowId } from '../../workflows/ids.ts';
import { INDEX_HINT_SIGNAL, INDEX_WORKFLOW } from '../../workflows/indexing/messages.ts';
import { QUEUES } from '../../workflows/queues.ts';
import { HINT_SIGNAL, SESSION_WORKFLOW } from '../../workflows/session/messages.ts';
import type { SessionPolicy } from '../../workflows/session/types.ts';
import { SEARCH_ATTRIBUTES } from './search-attributes.ts';

/** A hint that takes longer is given up: the sweep repeats it. */
const HINT_TIMEOUT_MS = 5_000;

/** Hints by `signalWithStart` without any payload beyond ids and settings: one call starts the workflow or wakes it. */
export function createWorkflowHints(client: Client, policy: SessionPolicy): WorkflowHints {
  return {
    async session(tenantId, sessionId) {
      await client.withDeadline(Date.now() + HINT_TIMEOUT_MS, () =>
        client.workflow.signalWithStart(SESSION_WORKFLOW, {
          workflowId: sessionWorkflowId(tenantId, sessionId),
          taskQueue: QUEUES.session,
          signal: HINT_SIGNAL,
          args: [{ tenantId, sessionId, policy }],
          // A late capture reopens an ended session under the same id.
          workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
          workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
          typedSearchAttributes: new TypedSearchAttributes([{ key: SEARCH_ATTRIBUTES.tenant, value: tenantId }]),
        }),
      );
    },
    async index(tenantId) {
      await client.withDeadline(Date.now() + HINT_TIMEOUT_MS, () =>
        client.workflow.signalWithStart(INDEX_WORKFLOW, {
          workflowId: indexWorkflowId(tenantId),
          taskQueue: QUEUES.session,
          signal: INDEX_HINT_SIGNAL,
          args: [{ tenantId }],
          workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
          workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
          typedSearchAttributes: new TypedSearchAttributes([{ key: SEARCH_ATTRIBUTES.tenant, value: tenantId }]),
        }),
      );
    },
  };
}
