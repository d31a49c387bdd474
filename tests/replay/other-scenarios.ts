import { ApplicationFailure } from '@temporalio/common';
import { WorkflowFailedError } from '@temporalio/client';
import { workflowIdOf, QUEUES } from '../../workflows/registry.ts';
import type { EmbedBatchResult } from '../../workflows/indexing/types.ts';
import type { index } from '../../workflows/indexing/workflow.ts';
import { firstRun } from './scenario.ts';
import type { Scenario } from './scenario.ts';

const TENANT = '018f0000-0000-7000-8000-00000000000c';
const DONE: EmbedBatchResult = { indexed: 5, refused: 0, more: false };

function indexScenario(shape: string, answers: readonly EmbedBatchResult[]): Scenario {
  return {
    workflow: 'index',
    shape,
    activities: () => {
      let calls = 0;
      return {
        embedBatch: async () => {
          const answer = answers[Math.min(calls, answers.length - 1)] ?? DONE;
          calls += 1;
          return answer;
        },
      };
    },
    async run(client) {
      const handle = await client.workflow.start<typeof index>('index', {
        workflowId: workflowIdOf('index', TENANT, 0),
        taskQueue: QUEUES.session,
        args: [{ tenantId: TENANT }],
      });
      if (shape !== 'continued') {
        await handle.result();
        return handle;
      }
      return firstRun(client, handle);
    },
  };
}

/** More failures than a few attempts survive: everything that a sweep needs is killed one after the other. */
const FAILURES = 5;

const SCHEDULE_OF = {
  captureSweep: 'capture-sweep',
  partitions: 'partitions',
  gdprDeadlines: 'gdpr-deadlines',
} as const;

function operation(
  workflow: 'captureSweep' | 'partitions' | 'gdprDeadlines',
  shape: 'happy' | 'failed' | 'away',
): Scenario {
  const sweep = () => {
    let calls = 0;
    return async () => {
      calls += 1;
      if (shape === 'failed') throw ApplicationFailure.nonRetryable('refused', 'Unexpected');
      if (shape === 'away' && calls <= FAILURES)
        throw ApplicationFailure.create({ type: 'DatabaseUnavailable', message: 'unavailable' });
      return { sessions: 2, tenants: 1 };
    };
  };
  return {
    workflow,
    shape,
    activities: () => ({
      sweepCaptures: sweep(),
      ensurePartitions: async () => ({ created: 3 }),
      alertDeadlines: async () => ({ alerts: 1 }),
    }),
    async run(client) {
      const handle = await client.workflow.start(workflow, {
        workflowId: `${workflowIdOf('operation', SCHEDULE_OF[workflow])}/by-hand`,
        taskQueue: QUEUES.session,
        args: [],
      });
      await handle.result().catch((error: unknown) => {
        if (!(shape === 'failed' && error instanceof WorkflowFailedError)) throw error;
      });
      return handle;
    },
  };
}

/** The shapes of the other families' histories. */
export const OTHER_SCENARIOS: readonly Scenario[] = [
  indexScenario('happy', [{ ...DONE, more: true }, DONE]),
  indexScenario('refused', [{ indexed: 0, refused: 2, more: true }, DONE]),
  {
    ...indexScenario('away', []),
    // The model is unavailable for longer than one activity may take: the run waits and retries.
    activities: () => {
      let calls = 0;
      return {
        embedBatch: async () => {
          calls += 1;
          if (calls === 1)
            throw ApplicationFailure.create({
              type: 'EmbedderUnavailable',
              message: 'unavailable',
              nonRetryable: true,
            });
          return DONE;
        },
      };
    },
  },
  indexScenario('continued', [{ ...DONE, more: true }]),
  operation('captureSweep', 'happy'),
  operation('captureSweep', 'failed'),
  operation('captureSweep', 'away'),
  operation('partitions', 'happy'),
  operation('gdprDeadlines', 'happy'),
];
