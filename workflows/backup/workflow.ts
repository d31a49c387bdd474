import {
  CancellationScope,
  defineQuery,
  isCancellation,
  proxyActivities,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { failureReason } from '../failure-reason.ts';
import { QUEUES } from '../queues.ts';
import { BACKUP_PROGRESS_QUERY } from './messages.ts';
import type { BackupActivities, BackupEnd, BackupInput, BackupPhase, BackupView, MadeSet } from './types.ts';

const progress = defineQuery<BackupView>(BACKUP_PROGRESS_QUERY);
const PHASE = { name: 'RecollectPhase', type: 'KEYWORD' } as const;

/**
 * A set is read from one snapshot, which dies with its connection: an attempt that is cut off begins anew. Six hours are what a set of some
 * hundred GB takes; a store that is away for longer than an hour is told, and the schedule tries again with a newer snapshot.
 */
const making = proxyActivities<Pick<BackupActivities, 'createBackup'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '6 hours',
  scheduleToCloseTimeout: '12 hours',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '5 seconds', maximumInterval: '5 minutes', maximumAttempts: 20 },
});

/** Copying and reading back go on file by file where the last attempt ended; the other place may be away for hours. */
const copying = proxyActivities<Pick<BackupActivities, 'copyBackup' | 'verifyBackup'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '6 hours',
  scheduleToCloseTimeout: '12 hours',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '5 seconds', maximumInterval: '10 minutes', maximumAttempts: 20 },
});

/** Removing is idempotent, and what one run leaves the next one finds. The copy waits for it: not for longer than its attempts take. */
const pruning = proxyActivities<Pick<BackupActivities, 'pruneBackups'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '30 minutes',
  scheduleToCloseTimeout: '3 hours',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '5 seconds', maximumInterval: '5 minutes', maximumAttempts: 20 },
});

/** One row that people wait to see, and, of a set that was not finished, its files. */
const ending = proxyActivities<Pick<BackupActivities, 'finishBackup'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '5 minutes',
  scheduleToCloseTimeout: '1 day',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/**
 * Makes one set, takes old ones away, copies it off-site. A backup whose copy failed is told as failed, and so is one beside which old sets could not be
 * taken away; its set stands, and its copy is made all the same.
 */
export async function backupRun(input?: BackupInput): Promise<MadeSet> {
  const { workflowId, firstExecutionRunId } = workflowInfo();
  const { backupId } = input ?? { backupId: firstExecutionRunId };
  let view: BackupView = { backupId, phase: 'making' };
  setHandler(progress, () => view);
  const show = (phase: BackupPhase): void => {
    view = { backupId, phase };
    upsertSearchAttributes([{ key: PHASE, value: phase }]);
  };
  const end = (state: BackupEnd['state'], error: string | null): Promise<void> =>
    CancellationScope.nonCancellable(() => ending.finishBackup({ backupId, state, error }));
  try {
    show('making');
    const made = await making.createBackup({ backupId, workflowId });
    // Before the copy: where the other place is away for days, this one must not fill up.
    show('pruning');
    const unpruned: unknown[] = [];
    await pruning.pruneBackups().catch((error: unknown) => {
      if (isCancellation(error)) throw error;
      // Sets that are too many are no reason to have none elsewhere.
      unpruned.push(error);
    });
    show('copying');
    await copying.copyBackup({ backupId });
    if (unpruned.length > 0) throw unpruned[0];
    await end('completed', null);
    show('completed');
    return made;
  } catch (error) {
    await (isCancellation(error) ? end('cancelled', null) : end('failed', failureReason(error)));
    throw error;
  }
}

/** Reads a set back to its last byte. */
export async function backupVerify(input: BackupInput): Promise<void> {
  await copying.verifyBackup(input);
}
