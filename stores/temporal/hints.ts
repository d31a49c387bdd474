import type { Client } from '@temporalio/client';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import type { TenantId } from '../../domain/ids.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import { indexWorkflowId, modelBatchWorkflowId, reindexWorkflowId, sessionWorkflowId } from '../../workflows/ids.ts';
import { INDEX_HINT_SIGNAL } from '../../workflows/indexing/messages.ts';
import { SKIP_WAIT_SIGNAL } from '../../workflows/model-batch/messages.ts';
import type { ModelBatchPolicy } from '../../workflows/model-batch/types.ts';
import { QUEUES } from '../../workflows/queues.ts';
import { WAKE_SIGNAL } from '../../workflows/reindex/messages.ts';
import { HINT_SIGNAL } from '../../workflows/session/messages.ts';
import type { SessionPolicy } from '../../workflows/session/types.ts';
import { SEARCH_ATTRIBUTES } from './search-attributes.ts';
import { answeredWithin } from './unavailable.ts';

/** A hint that takes longer is given up: the sweep repeats it. */
const HINT_TIMEOUT_MS = 5_000;

/**
 * Merges the hints of one key that are requested while one is being sent into a single next one: each caller's hint is sent after its request,
 * and a burst costs two hints.
 */
function folded(send: (key: TenantId) => Promise<void>): (key: TenantId) => Promise<void> {
  const running = new Map<TenantId, { readonly now: Promise<void>; next: Promise<void> | null }>();
  const start = (key: TenantId): Promise<void> => {
    const now = send(key).finally(() => {
      if (running.get(key)?.next === null) running.delete(key);
    });
    running.set(key, { now, next: null });
    return now;
  };
  return (key) => {
    const current = running.get(key);
    if (current === undefined) return start(key);
    // Regardless of the outcome of the previous one.
    current.next ??= current.now.then(
      () => start(key),
      () => start(key),
    );
    return current.next;
  };
}

/** Hints by `signalWithStart` without any payload beyond ids and settings: one call starts the workflow or wakes it. */
export function createWorkflowHints(
  client: Client,
  policy: SessionPolicy,
  batchPolicy: ModelBatchPolicy,
): WorkflowHints {
  const index = folded(async (tenantId) => {
    await answeredWithin(client, HINT_TIMEOUT_MS, () =>
      client.workflow.signalWithStart('index', {
        workflowId: indexWorkflowId(tenantId),
        taskQueue: QUEUES.session,
        signal: INDEX_HINT_SIGNAL,
        args: [{ tenantId }],
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
        typedSearchAttributes: new TypedSearchAttributes([{ key: SEARCH_ATTRIBUTES.tenant, value: tenantId }]),
        // A thousand sessions that end at once wait for their vectors: the workflow that writes them has priority.
        priority: { fairnessKey: tenantId, priorityKey: 1 },
      }),
    );
  });
  return {
    index,
    async modelBatch(tenantId, { id, n, full }) {
      const options = {
        workflowId: modelBatchWorkflowId(tenantId, n),
        taskQueue: QUEUES.session,
        args: [{ tenantId, batchId: id, policy: batchPolicy }],
        // One that was ended by mistake is taken up where it was: the database knows how far it is.
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
        typedSearchAttributes: new TypedSearchAttributes([{ key: SEARCH_ATTRIBUTES.tenant, value: tenantId }]),
        priority: { fairnessKey: tenantId },
      };
      await answeredWithin(client, HINT_TIMEOUT_MS, async () => {
        if (full) await client.workflow.signalWithStart('modelBatch', { ...options, signal: SKIP_WAIT_SIGNAL });
        else await client.workflow.start('modelBatch', options);
      });
    },
    async reindex(tenantId) {
      await answeredWithin(client, HINT_TIMEOUT_MS, () =>
        client.workflow.signalWithStart('reindex', {
          workflowId: reindexWorkflowId(tenantId),
          taskQueue: QUEUES.session,
          signal: WAKE_SIGNAL,
          args: [{ tenantId }],
          workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
          workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
          typedSearchAttributes: new TypedSearchAttributes([{ key: SEARCH_ATTRIBUTES.tenant, value: tenantId }]),
          priority: { fairnessKey: tenantId },
        }),
      );
    },
    async session(tenantId, sessionId) {
      await answeredWithin(client, HINT_TIMEOUT_MS, () =>
        client.workflow.signalWithStart('session', {
          workflowId: sessionWorkflowId(tenantId, sessionId),
          taskQueue: QUEUES.session,
          signal: HINT_SIGNAL,
          args: [{ tenantId, sessionId, policy }],
          // A late capture reopens an ended session under the same id.
          workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
          workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
          typedSearchAttributes: new TypedSearchAttributes([{ key: SEARCH_ATTRIBUTES.tenant, value: tenantId }]),
          // One tenant's thousand live sessions must not keep another one's waiting.
          priority: { fairnessKey: tenantId },
        }),
      );
    },
  };
}
