import { ApplicationFailure } from '@temporalio/common';
import { PROGRESS_QUERY, workflowIdOf, QUEUES } from '../../workflows/registry.ts';
import type { ImportEnd, ImportView } from '../../workflows/imports/types.ts';
import { until } from '../setup/until.ts';
import { firstRun } from './scenario.ts';
import type { Scenario } from './scenario.ts';
import type { ScriptedActivities } from './scripted-workers.ts';

const TENANT = '018f0000-0000-7000-8000-00000000001a';
const IMPORT = '018f0000-0000-7000-8000-00000000001b';

/** Reading with so many steps that leave more (none: it always leaves more); an end in another state than the shape's is a mistake of the workflow. */
function script(unread: number, state: ImportEnd['state']): Partial<ScriptedActivities> {
  let calls = 0;
  const step = () => {
    calls += 1;
    return calls <= unread ? { done: 1, more: true } : { done: 3, more: false };
  };
  const finish = async (end: ImportEnd): Promise<void> => {
    if (end.state !== state) throw new Error(`ended as ${end.state}`);
  };
  return {
    readTranscripts: async () => {
      const { done, more } = step();
      return { filesTotal: 3, filesDone: done, more };
    },
    readClaudeMem: async () => {
      const { done, more } = step();
      return { rowsTotal: 3, rowsDone: done, more };
    },
    finishImport: finish,
    finishClaudeMem: finish,
  };
}

const unreadable = () =>
  Promise.reject(ApplicationFailure.create({ type: 'ImportUnreadable', message: 'missing', nonRetryable: true }));

function importScenarios(workflow: 'transcriptImport' | 'claudeMemImport'): Scenario[] {
  // An import of transcripts that follows has read everything when it is cancelled.
  const follows = workflow === 'transcriptImport';
  const activities = {
    happy: () => script(1, 'completed'),
    cancelled: () => script(follows ? 0 : Infinity, 'cancelled'),
    failed: () => ({ ...script(0, 'failed'), readTranscripts: unreadable, readClaudeMem: unreadable }),
    continued: () => script(Infinity, 'completed'),
  };
  return (['happy', 'cancelled', 'failed', 'continued'] as const).map((shape) => ({
    workflow,
    shape,
    activities: activities[shape],
    async run(client) {
      const handle = await client.workflow.start(workflow, {
        workflowId: workflowIdOf('import', IMPORT),
        taskQueue: QUEUES.session,
        args: [{ tenantId: TENANT, importId: IMPORT, ...(follows ? { follow: shape === 'cancelled' } : {}) }],
      });
      if (shape === 'continued') return firstRun(client, handle);
      if (shape === 'cancelled') {
        await until(async () => ((await handle.query<ImportView>(PROGRESS_QUERY)).steps > 0 ? true : undefined));
        await handle.cancel();
      }
      await handle.result().catch((error: unknown) => {
        if (shape === 'happy') throw error;
      });
      return handle;
    },
  }));
}

/** The shapes that histories of imports and of the transcript watch can have. */
export const IMPORT_SCENARIOS: readonly Scenario[] = [
  ...importScenarios('transcriptImport'),
  ...importScenarios('claudeMemImport'),
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
