import { isCancellation, proxyActivities, workflowInfo } from '@temporalio/workflow';
import { REMOVAL, SCHEDULED } from '../activity-options.ts';
import { finish, Progress, runJob, showPhase } from '../run-job.ts';
import type { BackupActivities, BackupInput, BackupPhase, BackupView, MadeSet } from './types.ts';

/**
 * A backup is read from one snapshot, which ends with its connection: every attempt starts again, and after twelve hours the schedule starts one with
 * a newer snapshot. Copying and verifying continue after the last file of the previous attempt.
 */
const { createBackup, copyBackup, verifyBackup } = proxyActivities<BackupActivities>(SCHEDULED);

/** Pruning is idempotent, and the next run prunes what this one did not. The copy waits for it for three hours at most. */
const { pruneBackups } = proxyActivities<BackupActivities>({
  ...SCHEDULED,
  startToCloseTimeout: '30 minutes',
  scheduleToCloseTimeout: '3 hours',
});
const { finishBackup } = proxyActivities<BackupActivities>(REMOVAL);

/**
 * Creates one backup, prunes old ones, copies it off-site. The backup fails if copying or pruning fails; it is created all the same, and pruning
 * does not prevent the copy.
 */
export async function backupRun(input?: BackupInput): Promise<MadeSet> {
  const { workflowId, firstExecutionRunId } = workflowInfo();
  const { backupId } = input ?? { backupId: firstExecutionRunId };
  const progress = new Progress<BackupView>({ backupId, phase: 'creating' });
  const show = (phase: BackupPhase): void => {
    progress.view = { backupId, phase };
    showPhase(phase);
  };
  return runJob(
    async () => {
      show('creating');
      const created = await createBackup({ backupId, workflowId });
      // Before the copy: while the second store is unavailable, the first one must not fill up.
      show('pruning');
      const unpruned: unknown[] = [];
      await pruneBackups().catch((error: unknown) => {
        if (isCancellation(error)) throw error;
        unpruned.push(error);
      });
      show('copying');
      await copyBackup({ backupId });
      if (unpruned.length > 0) throw unpruned[0];
      await finish(() => finishBackup({ backupId, state: 'completed', error: null }));
      show('completed');
      return created;
    },
    (end) => finishBackup({ backupId, ...end }),
  );
}

/** Reads a backup back to its last byte. */
export async function backupVerify(input: BackupInput): Promise<void> {
  await verifyBackup(input);
}
