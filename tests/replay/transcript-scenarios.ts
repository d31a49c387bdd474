import { ApplicationFailure } from '@temporalio/common';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { workflowIdOf, QUEUES } from '../../workflows/registry.ts';
import type { ImportEnd, ImportStep, ImportView } from '../../workflows/imports/types.ts';
import { until } from '../setup/until.ts';
import type { Scenario } from './scenario.ts';
import type { ScriptedActivities } from './scripted-workers.ts';

const TENANT = '018f0000-0000-7000-8000-00000000001a';
const IMPORT = '018f0000-0000-7000-8000-00000000001b';
const MORE: ImportStep = { filesTotal: 3, filesDone: 1, more: true };
const ALL: ImportStep = { filesTotal: 3, filesDone: 3, more: false };

/** Steps in order, the last one for ever; an end in another state than the shape's is a mistake of the workflow. */
function script(steps: readonly ImportStep[], state: ImportEnd['state']): Partial<ScriptedActivities> {
  let calls = 0;
  return {
    readTranscripts: async () => {
      const step = steps[Math.min(calls, steps.length - 1)] ?? ALL;
      calls += 1;
      return step;
    },
    finishImport: async (end) => {
      if (end.state !== state) throw new Error(`ended as ${end.state}`);
    },
  };
}

function start(client: Client, follow: boolean): Promise<WorkflowHandle & { readonly firstExecutionRunId: string }> {
  return client.workflow.start('transcriptImport', {
    workflowId: workflowIdOf('import', IMPORT),
    taskQueue: QUEUES.session,
    args: [{ tenantId: TENANT, importId: IMPORT, follow }],
  });
}

/** The shapes that histories of transcripts can have. */
export const TRANSCRIPT_SCENARIOS: readonly Scenario[] = [
  {
    workflow: 'transcriptImport',
    shape: 'happy',
    activities: () => script([MORE, ALL], 'completed'),
    async run(client) {
      const handle = await start(client, false);
      await handle.result();
      return handle;
    },
  },
  {
    workflow: 'transcriptImport',
    shape: 'cancelled',
    activities: () => script([ALL], 'cancelled'),
    async run(client) {
      const handle = await start(client, true);
      await until(async () => ((await handle.query<ImportView>('progress')).steps > 0 ? true : undefined));
      await handle.cancel();
      await handle.result().catch(() => undefined);
      return handle;
    },
  },
  {
    workflow: 'transcriptImport',
    shape: 'failed',
    activities: () => ({
      ...script([ALL], 'failed'),
      readTranscripts: () =>
        Promise.reject(ApplicationFailure.create({ type: 'Unexpected', message: 'broken', nonRetryable: true })),
    }),
    async run(client) {
      const handle = await start(client, false);
      await handle.result().catch(() => undefined);
      return handle;
    },
  },
  {
    workflow: 'transcriptImport',
    shape: 'continued',
    activities: () => script([MORE], 'completed'),
    async run(client) {
      const handle = await start(client, false);
      const first = client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId);
      await until(
        async () => ((await first.describe()).status.name === 'CONTINUED_AS_NEW' ? true : undefined),
        120_000,
      );
      await handle.terminate('recorded');
      return first;
    },
  },
  {
    workflow: 'transcriptWatch',
    shape: 'happy',
    activities: () => ({ watchTranscripts: async () => ({ files: 2, added: 3, late_duplicates: 1 }) }),
    async run(client) {
      const handle = await client.workflow.start('transcriptWatch', {
        workflowId: `${workflowIdOf('operation', 'transcripts')}/by-hand`,
        taskQueue: QUEUES.session,
        args: [],
      });
      await handle.result();
      return handle;
    },
  },
];
