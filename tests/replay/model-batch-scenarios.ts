import { ApplicationFailure } from '@temporalio/common';
import type { Client, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { workflowIdOf, QUEUES } from '../../workflows/registry.ts';
import { BATCH_STATE_QUERY, SKIP_WAIT_SIGNAL } from '../../workflows/model-batch/types.ts';
import type { ModelBatchView } from '../../workflows/model-batch/types.ts';
import type { modelBatch } from '../../workflows/model-batch/workflow.ts';
import { until } from '../setup/until.ts';
import { queriedWhen } from './scenario.ts';
import type { Scenario } from './scenario.ts';
import type { ScriptedActivities } from './scripted-workers.ts';

const TENANT = '018f0000-0000-7000-8000-000000000011';
const BATCH = '018f0000-0000-7000-8000-000000000012';
const UNKNOWN_SESSION = '018f0000-0000-7000-8000-000000000013';
const SENT = { calls: 2, sessionIds: [] };

type BatchHandle = WorkflowHandleWithFirstExecutionRunId<typeof modelBatch>;

function start(client: Client, gatherMs = 100): Promise<BatchHandle> {
  return client.workflow.start<typeof modelBatch>('modelBatch', {
    workflowId: workflowIdOf('batch', TENANT, 1),
    taskQueue: QUEUES.session,
    args: [{ tenantId: TENANT, batchId: BATCH, policy: { gatherMs, pollMs: 1, retryMs: 100 } }],
  });
}

function viewWhen(handle: BatchHandle, wanted: (view: ModelBatchView) => boolean): Promise<ModelBatchView> {
  return queriedWhen(handle, BATCH_STATE_QUERY, wanted);
}

/** Activities of a batch that has ended at the second poll. */
function script(overrides: Partial<ScriptedActivities> = {}): Partial<ScriptedActivities> {
  let looks = 0;
  return {
    submitBatch: async () => SENT,
    pollBatch: async () => ({ ended: (looks += 1) > 1, processing: looks > 1 ? 0 : 1 }),
    collectBatch: async () => ({ sessionIds: [UNKNOWN_SESSION], summarised: 2, parked: 0, requeued: 0 }),
    releaseBatch: async () => ({ sessionIds: [UNKNOWN_SESSION] }),
    ...overrides,
  };
}

/** The failure of an overloaded provider that permits a retry at once. */
const overloaded = () =>
  ApplicationFailure.create({ type: 'ProviderOverloaded', message: 'overloaded', details: [50], nextRetryDelay: 50 });

/** The shapes of a provider batch's histories. */
export const MODEL_BATCH_SCENARIOS: readonly Scenario[] = [
  {
    workflow: 'modelBatch',
    shape: 'happy',
    activities: () => script(),
    async run(client) {
      const handle = await start(client, 60_000);
      await viewWhen(handle, (view) => view.phase === 'gathering');
      await handle.signal(SKIP_WAIT_SIGNAL);
      await handle.result();
      return handle;
    },
  },
  {
    workflow: 'modelBatch',
    shape: 'provider-away',
    activities: () => {
      let calls = 0;
      return script({
        // Fails every attempt of the activity, so that the workflow waits itself.
        submitBatch: async () => {
          calls += 1;
          if (calls <= 4) throw overloaded();
          return SENT;
        },
      });
    },
    async run(client) {
      const handle = await start(client);
      await handle.result();
      return handle;
    },
  },
  {
    workflow: 'modelBatch',
    shape: 'nothing-left',
    activities: () => script({ submitBatch: async () => ({ calls: 0, sessionIds: [UNKNOWN_SESSION] }) }),
    async run(client) {
      const handle = await start(client);
      await handle.result();
      return handle;
    },
  },
  {
    workflow: 'modelBatch',
    shape: 'cancelled',
    activities: () => script({ pollBatch: async () => ({ ended: false, processing: 2 }) }),
    async run(client) {
      const handle = await start(client);
      await viewWhen(handle, (view) => view.looks > 1);
      await handle.cancel();
      await handle.result().catch(() => undefined);
      return handle;
    },
  },
  {
    workflow: 'modelBatch',
    shape: 'continued',
    activities: () => {
      let looks = 0;
      return script({ pollBatch: async () => ({ ended: (looks += 1) > 45, processing: 1 }) });
    },
    async run(client) {
      const handle = await start(client);
      const first = client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId);
      await until(
        async () => ((await first.describe()).status.name === 'CONTINUED_AS_NEW' ? true : undefined),
        120_000,
      );
      await client.workflow.getHandle(handle.workflowId).result();
      return first;
    },
  },
];
