import { ActivityCancellationType, ApplicationFailure, proxyActivities } from '@temporalio/workflow';
import { QUEUES } from '../queues.ts';
import { finish, Progress, runJob } from '../run-job.ts';
import type { ExportImportActivities, ExportImportInput, ExportImportView } from './types.ts';

/** An export that something was erased of while it was written is written again, so often. */
const WRITINGS = 5;

/**
 * A tenant's file has some gigabytes, at tens of megabytes per second. A retry writes an interrupted export again, and continues an import after its last
 * batch; both continue after up to a day without a store.
 */
const carrying = proxyActivities<Pick<ExportImportActivities, 'writeExport' | 'readExportFile'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '12 hours',
  scheduleToCloseTimeout: '2 days',
  heartbeatTimeout: '20 seconds',
  // Wait for the write in progress before any further decision.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/** One short transaction that people wait to see, or the removal of some files. */
const ending = proxyActivities<Pick<ExportImportActivities, 'endExport' | 'endFileImport' | 'expireExports'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '2 minutes',
  scheduleToCloseTimeout: '1 day',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/** Writes memories into one file of the archive store. If it is cancelled, the file is deleted. */
export async function exportRun(input: ExportImportInput): Promise<void> {
  const progress = new Progress<ExportImportView>({ state: 'running' });
  await runJob(
    async () => {
      await finish(() => ending.expireExports());
      let isComplete = false;
      for (let attempts = 0; !isComplete; attempts += 1) {
        if (attempts === WRITINGS)
          throw ApplicationFailure.nonRetryable('too much was erased during the export', 'ErasedMeanwhile');
        isComplete = await carrying.writeExport(input);
      }
      progress.view = { state: 'completed' };
    },
    (end) => ending.endExport({ ...input, ...end }),
  );
}

/** Imports the export file of another instance. If it is cancelled, it ends between two batches; imported rows stay. */
export async function fileImport(input: ExportImportInput): Promise<void> {
  const progress = new Progress<ExportImportView>({ state: 'running' });
  await runJob(
    async () => {
      await carrying.readExportFile(input);
      progress.view = { state: 'completed' };
    },
    (end) => ending.endFileImport({ ...input, ...end }),
  );
}
