import { ApplicationFailure } from '@temporalio/common';
import { WorkflowFailedError } from '@temporalio/client';
import { workflowIdOf, QUEUES } from '../../workflows/registry.ts';
import { WAKE_SIGNAL } from '../../workflows/indexing/types.ts';
import type { ReindexStep } from '../../workflows/indexing/types.ts';
import type { reindex } from '../../workflows/indexing/workflow.ts';
import { until } from '../setup/until.ts';
import { firstRun } from './scenario.ts';
import type { Scenario } from './scenario.ts';

const TENANT = '018f0000-0000-7000-8000-00000000000e';
const SOON_MS = 20;
const LATER_MS = 3_600_000;

const EMBEDDING: ReindexStep = { phase: 'embedding', waiting: null, waitMs: SOON_MS };
const UNAVAILABLE: ReindexStep = { ...EMBEDDING, waiting: 'EmbedderUnavailable' };
const GRACE: ReindexStep = { phase: 'grace', waiting: null, waitMs: SOON_MS };
const DONE: ReindexStep = { phase: 'completed', waiting: null, waitMs: 0 };

function scenario(shape: string, steps: readonly (ReindexStep | Error)[]): Scenario {
  return {
    workflow: 'reindex',
    shape,
    activities: () => {
      let calls = 0;
      return {
        reindexStep: async () => {
          const step = steps[Math.min(calls, steps.length - 1)] ?? DONE;
          calls += 1;
          if (step instanceof Error) throw step;
          return step;
        },
      };
    },
    async run(client) {
      const handle = await client.workflow.start<typeof reindex>('reindex', {
        workflowId: workflowIdOf('reindex', TENANT, 0),
        taskQueue: QUEUES.session,
        args: [{ tenantId: TENANT }],
      });
      if (shape === 'continued') return firstRun(client, handle);
      if (shape === 'asked' || shape === 'cancelled') {
        // The workflow waits for an hour, until a signal or a cancellation.
        await until(async () => {
          const { events } = await handle.fetchHistory();
          return events?.some((event) => event.timerStartedEventAttributes) === true ? true : undefined;
        });
        if (shape === 'asked') await handle.signal(WAKE_SIGNAL);
        else await handle.cancel();
      }
      await handle.result().catch((error: unknown) => {
        if (!(shape === 'cancelled' && error instanceof WorkflowFailedError)) throw error;
      });
      return handle;
    },
  };
}

/** The shapes of a change of the index. */
export const REINDEX_SCENARIOS: readonly Scenario[] = [
  scenario('happy', [EMBEDDING, EMBEDDING, GRACE, DONE]),
  // The database is briefly unavailable, then the provider of the new model.
  scenario('provider-away', [
    ApplicationFailure.create({ type: 'DatabaseUnavailable', message: 'unavailable' }),
    EMBEDDING,
    UNAVAILABLE,
    UNAVAILABLE,
    EMBEDDING,
    DONE,
  ]),
  scenario('asked', [{ ...GRACE, waitMs: LATER_MS }, DONE]),
  scenario('cancelled', [{ ...GRACE, waitMs: LATER_MS }]),
  scenario('continued', [{ ...EMBEDDING, waitMs: 0 }]),
];
