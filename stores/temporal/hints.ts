import type { Client } from '@temporalio/client';
import type { TenantId } from '../../domain/ids.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import { INDEX_HINT_SIGNAL, WAKE_SIGNAL } from '../../workflows/indexing/types.ts';
import { SKIP_WAIT_SIGNAL } from '../../workflows/model-batch/types.ts';
import type { ModelBatchPolicy } from '../../workflows/model-batch/types.ts';
import { PRIORITIES } from '../../workflows/registry.ts';
import type { WorkflowName } from '../../workflows/registry.ts';
import { HINT_SIGNAL } from '../../workflows/session/types.ts';
import type { SessionPolicy } from '../../workflows/session/types.ts';
import { startOptions } from './start-workflow.ts';
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
  const send = async <Name extends WorkflowName>(
    name: Name,
    signal: string | null,
    options: ReturnType<typeof startOptions<Name>>,
  ): Promise<void> => {
    await answeredWithin(client, HINT_TIMEOUT_MS, async () => {
      if (signal === null) await client.workflow.start(name, options);
      else await client.workflow.signalWithStart(name, { ...options, signal });
    });
  };
  return {
    index: folded((tenantId) => send('index', INDEX_HINT_SIGNAL, startOptions('index', tenantId, '0', { tenantId }))),
    // One that was ended by mistake continues where it was: the database knows how far it is.
    modelBatch: (tenantId, { id, n, full }) =>
      send(
        'modelBatch',
        full ? SKIP_WAIT_SIGNAL : null,
        startOptions('modelBatch', tenantId, String(n), { tenantId, batchId: id, policy: batchPolicy }),
      ),
    reindex: (tenantId) => send('reindex', WAKE_SIGNAL, startOptions('reindex', tenantId, '0', { tenantId })),
    // A late capture reopens an ended session under the same id.
    session: (tenantId, sessionId, { isBackfill } = { isBackfill: false }) => {
      const options = startOptions('session', tenantId, sessionId, { tenantId, sessionId, policy });
      const priority = { ...options.priority, priorityKey: PRIORITIES[isBackfill ? 'backfill' : 'usual'] };
      return send('session', HINT_SIGNAL, { ...options, priority });
    },
  };
}
