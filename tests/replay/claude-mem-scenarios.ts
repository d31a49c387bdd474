import { ApplicationFailure } from '@temporalio/common';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { PROGRESS_QUERY, workflowIdOf, QUEUES } from '../../workflows/registry.ts';
import type { ClaudeMemCounts, ImportEnd, ImportStep, ImportView } from '../../workflows/imports/types.ts';
import { until } from '../setup/until.ts';
import type { Scenario } from './scenario.ts';
import type { ScriptedActivities } from './scripted-workers.ts';

const TENANT = '018f0000-0000-7000-8000-00000000002a';
const IMPORT = '018f0000-0000-7000-8000-00000000002b';
const MORE: ImportStep<ClaudeMemCounts> = { rowsTotal: 9, rowsDone: 4, more: true };
const ALL: ImportStep<ClaudeMemCounts> = { rowsTotal: 9, rowsDone: 9, more: false };

/** Steps in order, the last one for ever; an end in another state than the shape's is a mistake of the workflow. */
function script(steps: readonly ImportStep<ClaudeMemCounts>[], state: ImportEnd['state']): Partial<ScriptedActivities> {
  let calls = 0;
  return {
    readClaudeMem: async () => {
      const step = steps[Math.min(calls, steps.length - 1)] ?? ALL;
      calls += 1;
      return step;
    },
    finishClaudeMem: async (end) => {
      if (end.state !== state) throw new Error(`ended as ${end.state}`);
    },
  };
}

function start(client: Client): Promise<WorkflowHandle & { readonly firstExecutionRunId: string }> {
  return client.workflow.start('claudeMemImport', {
    workflowId: workflowIdOf('import', IMPORT),
    taskQueue: QUEUES.session,
    args: [{ tenantId: TENANT, importId: IMPORT }],
  });
}

/** The shapes that histories of imports from claude-mem can have. */
export const CLAUDE_MEM_SCENARIOS: readonly Scenario[] = [
  {
    workflow: 'claudeMemImport',
    shape: 'happy',
    activities: () => script([MORE, ALL], 'completed'),
    async run(client) {
      const handle = await start(client);
      await handle.result();
      return handle;
    },
  },
  {
    workflow: 'claudeMemImport',
    shape: 'cancelled',
    activities: () => script([MORE], 'cancelled'),
    async run(client) {
      const handle = await start(client);
      await until(async () =>
        (await handle.query<ImportView<ClaudeMemCounts>>(PROGRESS_QUERY)).steps > 0 ? true : undefined,
      );
      await handle.cancel();
      await handle.result().catch(() => undefined);
      return handle;
    },
  },
  {
    workflow: 'claudeMemImport',
    shape: 'failed',
    activities: () => ({
      ...script([ALL], 'failed'),
      readClaudeMem: () =>
        Promise.reject(ApplicationFailure.create({ type: 'ImportUnreadable', message: 'missing', nonRetryable: true })),
    }),
    async run(client) {
      const handle = await start(client);
      await handle.result().catch(() => undefined);
      return handle;
    },
  },
  {
    workflow: 'claudeMemImport',
    shape: 'continued',
    activities: () => script([MORE], 'completed'),
    async run(client) {
      const handle = await start(client);
      const first = client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId);
      await until(
        async () => ((await first.describe()).status.name === 'CONTINUED_AS_NEW' ? true : undefined),
        120_000,
      );
      await handle.terminate('recorded');
      return first;
    },
  },
];
