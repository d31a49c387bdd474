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

/** The step that a shape's run is cancelled in; it ends after the run. */
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
  const cancelledIn = CANCELLED_IN[shape];
  let release = (): void => undefined;
  return {
    workflow: 'backupRun',
    shape,
    activities: () => {
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      const step = async () => {
        await released;
        return { ...MADE, removed: 1 };
      };
      return { ...HAPPY, ...changes, ...(cancelledIn === undefined ? {} : { [cancelledIn]: step }) };
    },
    async run(client) {
      const handle = await client.workflow.start<typeof backupRun>('backupRun', {
        workflowId: workflowIdOf('backup', BACKUP),
        taskQueue: QUEUES.session,
        // The schedule passes no input.
        args: shape === 'scheduled' ? [] : [{ backupId: BACKUP }],
      });
      if (cancelledIn !== undefined) {
        await until(async () => {
          const { events } = await handle.fetchHistory();
          const names = events?.map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name);
          return names?.includes(cancelledIn) === true ? true : undefined;
        });
        await handle.cancel();
      }
      await ended(handle.result(), shape !== 'happy' && shape !== 'scheduled');
      release();
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
  run('cancelled'),
  run('prune-cancelled'),
  verify('happy'),
  verify('failed'),
];
