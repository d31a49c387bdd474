import { ApplicationFailure } from '@temporalio/common';
import { WorkflowFailedError } from '@temporalio/client';
import type { BackupActivities } from '../../workflows/backup/types.ts';
import type { backupRun, backupVerify } from '../../workflows/backup/workflow.ts';
import { workflowIdOf, QUEUES } from '../../workflows/registry.ts';
import { until } from '../setup/until.ts';
import type { Scenario } from './scenario.ts';

const BACKUP = '018f0000-0000-7000-8000-0000000000b1';
const MADE = { files: 3, rows: 20, vectors: 5, bytes: 4_096 };

const failure = (type: string): Error => ApplicationFailure.create({ type, message: type, nonRetryable: true });

const HAPPY: BackupActivities = {
  createBackup: async () => MADE,
  copyBackup: async () => ({ copied: true }),
  pruneBackups: async () => ({ removed: 1 }),
  verifyBackup: async () => undefined,
  finishBackup: async () => undefined,
};

/** The step that a shape's run is cancelled in. */
const CANCELLED_IN: Readonly<Record<string, keyof BackupActivities>> = {
  cancelled: 'createBackup',
  'prune-cancelled': 'pruneBackups',
};

async function ended(result: Promise<unknown>, isFailing: boolean): Promise<void> {
  await result.catch((error: unknown) => {
    if (!(isFailing && error instanceof WorkflowFailedError)) throw error;
  });
}

function run(shape: string, changes: Partial<BackupActivities> = {}): Scenario {
  return {
    workflow: 'backupRun',
    shape,
    activities: () => ({ ...HAPPY, ...changes }),
    async run(client) {
      const handle = await client.workflow.start<typeof backupRun>('backupRun', {
        workflowId: workflowIdOf('backup', BACKUP),
        taskQueue: QUEUES.session,
        // The schedule passes no input.
        args: shape === 'scheduled' ? [] : [{ backupId: BACKUP }],
      });
      const cancelledIn = CANCELLED_IN[shape];
      if (cancelledIn !== undefined) {
        await until(async () => {
          const { events } = await handle.fetchHistory();
          const names = events?.map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name);
          return names?.includes(cancelledIn) === true ? true : undefined;
        }, 30_000);
        await handle.cancel();
      }
      await ended(handle.result(), shape !== 'happy' && shape !== 'scheduled');
      return handle;
    },
  };
}

function verify(shape: 'happy' | 'failed'): Scenario {
  return {
    workflow: 'backupVerify',
    shape,
    activities: () => ({
      verifyBackup: async () => {
        if (shape === 'failed') throw failure('BackupCorrupted');
      },
    }),
    async run(client) {
      const handle = await client.workflow.start<typeof backupVerify>('backupVerify', {
        workflowId: workflowIdOf('backup', `verify-${BACKUP}`),
        taskQueue: QUEUES.session,
        args: [{ backupId: BACKUP }],
      });
      await ended(handle.result(), shape === 'failed');
      return handle;
    },
  };
}

/** The shapes of backups. */
export const BACKUP_SCENARIOS: readonly Scenario[] = [
  run('happy'),
  run('scheduled'),
  run('failed', { createBackup: () => Promise.reject(failure('ArchiveFull')) }),
  run('copy-failed', { copyBackup: () => Promise.reject(failure('ArchiveRefused')) }),
  run('prune-failed', { pruneBackups: () => Promise.reject(failure('ArchiveRefused')) }),
  // Slow enough to be cancelled in.
  run('cancelled', { createBackup: () => new Promise((resolve) => setTimeout(resolve, 5_000, MADE)) }),
  run('prune-cancelled', { pruneBackups: () => new Promise((resolve) => setTimeout(resolve, 5_000, { removed: 1 })) }),
  verify('happy'),
  verify('failed'),
];
