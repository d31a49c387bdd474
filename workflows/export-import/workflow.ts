import {
  ActivityCancellationType,
  ApplicationFailure,
  CancellationScope,
  defineQuery,
  isCancellation,
  proxyActivities,
  setHandler,
} from '@temporalio/workflow';
import { failureReason } from '../failure-reason.ts';
import { NOT_RETRIED } from '../failure-types.ts';
import { QUEUES } from '../queues.ts';
import { PORTABILITY_PROGRESS_QUERY } from './messages.ts';
import type { ExportImportActivities, ExportImportEnd, ExportImportInput, ExportImportView } from './types.ts';

const progress = defineQuery<ExportImportView>(PORTABILITY_PROGRESS_QUERY);

/** An export that something was erased of while it was written is written again, so often. */
const WRITINGS = 5;

/**
 * One file of a whole tenant: some gigabytes at tens of megabytes a second. An export that was cut off is written anew, and an import goes on after its last
 * batch; stores may be away for a day, and it goes on.
 */
const carrying = proxyActivities<Pick<ExportImportActivities, 'writeExport' | 'readPortable'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '12 hours',
  scheduleToCloseTimeout: '2 days',
  heartbeatTimeout: '20 seconds',
  // What it was about to write is there or not before anything else is decided.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1 second', maximumInterval: '1 minute', nonRetryableErrorTypes: [...NOT_RETRIED] },
});

/** One short transaction that people wait to see, or the removal of some files. */
const ending = proxyActivities<Pick<ExportImportActivities, 'endExport' | 'endPortable' | 'expireExports'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '2 minutes',
  scheduleToCloseTimeout: '1 day',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

async function endedBy(error: unknown, end: (end: Pick<ExportImportEnd, 'state' | 'error'>) => Promise<void>) {
  await CancellationScope.nonCancellable(() =>
    isCancellation(error)
      ? end({ state: 'cancelled', error: null })
      : end({ state: 'failed', error: failureReason(error) }),
  );
}

/** Writes memory into one file of the archive store. Called off, it leaves none. */
export async function exportRun(input: ExportImportInput): Promise<void> {
  let view: ExportImportView = { state: 'running' };
  setHandler(progress, () => view);
  try {
    await CancellationScope.nonCancellable(() => ending.expireExports());
    let isWhole = false;
    for (let tries = 0; !isWhole; tries += 1) {
      if (tries === WRITINGS) throw ApplicationFailure.nonRetryable('too much was erased meanwhile', 'ErasedMeanwhile');
      isWhole = await carrying.writeExport(input);
    }
    view = { state: 'completed' };
  } catch (error) {
    await endedBy(error, (end) => ending.endExport({ ...input, ...end }));
    throw error;
  }
}

/** Takes the file of another instance in. Called off between two batches, it leaves what came. */
export async function fileImport(input: ExportImportInput): Promise<void> {
  let view: ExportImportView = { state: 'running' };
  setHandler(progress, () => view);
  try {
    await carrying.readPortable(input);
    view = { state: 'completed' };
  } catch (error) {
    await endedBy(error, (end) => ending.endPortable({ ...input, ...end }));
    throw error;
  }
}
