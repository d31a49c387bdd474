import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { workflowIdOf, QUEUES } from '../../workflows/registry.ts';
import type { RetentionStep } from '../../workflows/retention/types.ts';
import type { archiveRestore, retentionRun } from '../../workflows/retention/workflow.ts';
import { until } from '../setup/until.ts';
import { firstRun } from './scenario.ts';
import type { Scenario } from './scenario.ts';

const TENANT = '018f0000-0000-7000-8000-0000000000a1';
const RUN = '018f0000-0000-7000-8000-0000000000a2';
const ARCHIVE = '018f0000-0000-7000-8000-0000000000a3';

const MORE: RetentionStep = { rows: 5_000, more: true };
const OVER: RetentionStep = { rows: 0, more: false };

function scenario(shape: string, steps: readonly (RetentionStep | Error)[]): Scenario {
  const isScheduled = shape === 'scheduled';
  return {
    workflow: 'retentionRun',
    shape,
    activities: () => {
      let calls = 0;
      return {
        openRetention: async () => ({ runs: 2 }),
        stepRetention: async () => {
          const step = steps[Math.min(calls, steps.length - 1)] ?? OVER;
          calls += 1;
          if (step instanceof Error) throw step;
          return step;
        },
        finishRetention: async () => {},
      };
    },
    async run(client) {
      const handle = await client.workflow.start<typeof retentionRun>('retentionRun', {
        workflowId: isScheduled ? workflowIdOf('operation', 'retention') : workflowIdOf('retention', RUN),
        taskQueue: QUEUES.session,
        args: isScheduled ? [] : [{ runId: RUN }],
      });
      if (shape === 'continued') return firstRun(client, handle);
      if (shape === 'cancelled') {
        await until(async () => {
          const { events } = await handle.fetchHistory();
          return (events?.length ?? 0) > 12 ? true : undefined;
        }, 30_000);
        await handle.cancel();
      }
      await handle.result().catch((error: unknown) => {
        if (!(['cancelled', 'failed'].includes(shape) && error instanceof WorkflowFailedError)) throw error;
      });
      return handle;
    },
  };
}

/** The shapes of retention. */
export const RETENTION_SCENARIOS: readonly Scenario[] = [
  // The database is briefly unavailable.
  scenario('happy', [
    MORE,
    ApplicationFailure.create({ type: 'DatabaseUnavailable', message: 'unavailable' }),
    MORE,
    OVER,
  ]),
  scenario('scheduled', [MORE, OVER]),
  scenario('cancelled', [MORE]),
  scenario('failed', [ApplicationFailure.nonRetryable('damaged', 'ArchiveDamaged')]),
  scenario('continued', [MORE]),
  {
    workflow: 'archiveRestore',
    shape: 'happy',
    activities: () => ({ restoreArchived: async () => ({ restored: true }) }),
    async run(client) {
      const handle = await client.workflow.start<typeof archiveRestore>('archiveRestore', {
        workflowId: workflowIdOf('retention', ARCHIVE),
        taskQueue: QUEUES.session,
        args: [{ tenantId: TENANT, archiveId: ARCHIVE }],
      });
      await handle.result();
      return handle;
    },
  },
];
