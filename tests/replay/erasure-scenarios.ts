import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { WorkflowFailedError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import type { ErasureStep } from '../../workflows/erasure/types.ts';
import { workflowIdOf, QUEUES } from '../../workflows/registry.ts';
import { until } from '../setup/until.ts';
import { firstRun } from './scenario.ts';
import type { Scenario } from './scenario.ts';

const TENANT = '018f0000-0000-7000-8000-00000000000e';
const JOB = '018f0000-0000-7000-8000-0000000000e5';
const BEAT_MS = 200;

const failure = (type: string): Error => ApplicationFailure.create({ type, message: type, nonRetryable: true });
const done = async (): Promise<void> => undefined;

/** Waits until the activity receives its cancellation. */
async function cancelled(): Promise<never> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), BEAT_MS);
  return context.cancelled.finally(() => clearInterval(timer));
}

async function run(client: Client, type: string, workflowId: string, input: object, shape: string) {
  const handle = await client.workflow.start(type, { workflowId, taskQueue: QUEUES.session, args: [input] });
  if (shape.startsWith('cancelled')) {
    await until(async () => {
      const { events } = await handle.fetchHistory();
      return events?.some((event) => event.activityTaskScheduledEventAttributes) === true ? true : undefined;
    }, 30_000);
    await handle.cancel();
  }
  if (shape === 'continued') return firstRun(client, handle);
  await handle.result().catch((error: unknown) => {
    if (shape === 'happy' || !(error instanceof WorkflowFailedError)) throw error;
  });
  return handle;
}

function erasure(shape: string, steps: readonly (ErasureStep | Error | 'slow')[]): Scenario {
  return {
    workflow: 'erasureRun',
    shape,
    activities: () => {
      let calls = 0;
      return {
        eraseNext: async () => {
          const step = steps[Math.min(calls, steps.length - 1)];
          calls += 1;
          if (step instanceof Error) throw step;
          if (step === 'slow') await cancelled();
          return step === 'slow' || step === undefined ? { phase: 'journalled', waitMs: 0 } : step;
        },
        endErasure: done,
      };
    },
    run: (client) =>
      run(client, 'erasureRun', workflowIdOf('erasure', JOB), { tenantId: TENANT, erasureId: JOB }, shape),
  };
}

function carried(workflow: 'exportRun' | 'fileImport', shape: string, activities: Scenario['activities']): Scenario {
  const isExport = workflow === 'exportRun';
  return {
    workflow,
    shape,
    activities,
    run: (client) =>
      run(
        client,
        isExport ? 'exportRun' : 'fileImport',
        isExport ? workflowIdOf('export', JOB) : workflowIdOf('import', JOB),
        { tenantId: TENANT, jobId: JOB },
        shape,
      ),
  };
}

const step = (phase: ErasureStep['phase'], waitMs = 0): ErasureStep => ({ phase, waitMs });
const expireExports = async () => ({ expired: 0 });
const slow = (): Promise<never> => cancelled();

/** The shapes of erasures, exports and imports of files. */
export const ERASURE_SCENARIOS: readonly Scenario[] = [
  erasure('happy', [
    step('journalled'),
    step('rows'),
    step('rows', 20),
    step('vectors'),
    step('files'),
    step('completed'),
  ]),
  erasure('held', [failure('ErasureHeld')]),
  erasure('cancelled', ['slow']),
  erasure('continued', [step('journalled')]),
  carried('exportRun', 'happy', () => {
    let tries = 0;
    // Something was erased while it was written: it is written once more.
    const writeExport = async () => (tries += 1) > 1;
    return { writeExport, expireExports, endExport: done };
  }),
  carried('exportRun', 'failed', () => ({
    writeExport: () => Promise.reject(failure('ArchiveFull')),
    expireExports,
    endExport: done,
  })),
  carried('exportRun', 'cancelled', () => ({ writeExport: () => slow(), expireExports, endExport: done })),
  carried('fileImport', 'happy', () => ({ readExportFile: done, endFileImport: done })),
  carried('fileImport', 'failed', () => ({
    readExportFile: () => Promise.reject(failure('ExportFileError')),
    endFileImport: done,
  })),
  carried('fileImport', 'cancelled', () => ({ readExportFile: () => slow(), endFileImport: done })),
];
