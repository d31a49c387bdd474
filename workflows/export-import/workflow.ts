import { ApplicationFailure, proxyActivities } from '@temporalio/workflow';
import { ROWS, TRANSFER } from '../activity-options.ts';
import { finish, Progress, runJob } from '../run-job.ts';
import type { ExportImportActivities, ExportImportInput, ExportImportView } from './types.ts';

/** An export that something was erased of while it was written is written again, so often. */
const WRITINGS = 5;

/** A retry writes an interrupted export again, and continues an import after its last batch. */
const carrying = proxyActivities<Pick<ExportImportActivities, 'writeExport' | 'readExportFile'>>(TRANSFER);
const ending = proxyActivities<Pick<ExportImportActivities, 'endExport' | 'endFileImport' | 'expireExports'>>(ROWS);

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
