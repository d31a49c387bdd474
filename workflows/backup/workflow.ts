import { isCancellation, proxyActivities, workflowInfo } from '@temporalio/workflow';
import { QUEUES } from '../queues.ts';
import { finish, Progress, runJob, showPhase } from '../run-job.ts';
import type { BackupActivities, BackupInput, BackupPhase, BackupView, MadeSet } from './types.ts';

/**
 * A backup is read from one snapshot, which ends with its connection: every attempt starts again. A backup of some hundred GB takes six hours.
 * After twelve the job fails, and the schedule starts one with a newer snapshot.
 */
const creating = proxyActivities<Pick<BackupActivities, 'createBackup'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '6 hours',
  scheduleToCloseTimeout: '12 hours',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '5 seconds', maximumInterval: '5 minutes' },
});

/** Copying and verifying continue after the last file of the previous attempt; the second store may be unavailable for hours. */
const copying = proxyActivities<Pick<BackupActivities, 'copyBackup' | 'verifyBackup'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '6 hours',
  scheduleToCloseTimeout: '12 hours',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '5 seconds', maximumInterval: '10 minutes' },
});

/** Pruning is idempotent, and the next run prunes what this one did not. The copy waits for it for three hours at most. */
const pruning = proxyActivities<Pick<BackupActivities, 'pruneBackups'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '30 minutes',
  scheduleToCloseTimeout: '3 hours',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '5 seconds', maximumInterval: '5 minutes' },
});

/** Updates one row that users wait for, and deletes the files of an incomplete backup. */
const ending = proxyActivities<Pick<BackupActivities, 'finishBackup'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '5 minutes',
  scheduleToCloseTimeout: '1 day',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

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
      const created = await creating.createBackup({ backupId, workflowId });
      // Before the copy: while the second store is unavailable, the first one must not fill up.
      show('pruning');
      const unpruned: unknown[] = [];
      await pruning.pruneBackups().catch((error: unknown) => {
        if (isCancellation(error)) throw error;
        unpruned.push(error);
      });
      show('copying');
      await copying.copyBackup({ backupId });
      if (unpruned.length > 0) throw unpruned[0];
      await finish(() => ending.finishBackup({ backupId, state: 'completed', error: null }));
      show('completed');
      return created;
    },
    (end) => ending.finishBackup({ backupId, ...end }),
  );
}

/** Reads a backup back to its last byte. */
export async function backupVerify(input: BackupInput): Promise<void> {
  await copying.verifyBackup(input);
}
