import { ApplicationFailure } from '@temporalio/common';
import { WorkflowFailedError } from '@temporalio/client';
import { workflowIdOf, QUEUES } from '../../workflows/registry.ts';
import type { RestoreActivities, RestoreInput } from '../../workflows/restore/types.ts';
import type { restoreDrill, restoreRun } from '../../workflows/restore/workflow.ts';
import { until } from '../setup/until.ts';
import type { Scenario } from './scenario.ts';

const RESTORE: RestoreInput = { restoreId: '018f0000-0000-7000-8000-0000000000c1' };
const CHECKED = { backupId: '018f0000-0000-7000-8000-0000000000b1', dryRun: false };

const failure = (type: string): Error => ApplicationFailure.create({ type, message: type, nonRetryable: true });
const nothing = async (): Promise<void> => undefined;

const HAPPY: RestoreActivities = {
  openDrill: async () => RESTORE,
  checkSet: async () => CHECKED,
  copySetIn: nothing,
  indexRestored: nothing,
  verifyRestored: nothing,
  verifyVectors: nothing,
  swapIn: nothing,
  resumeInstance: nothing,
  endRestoreRun: nothing,
};
/** Slow enough to be cancelled in. */
const slow = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5_000));

interface Shape {
  readonly workflow: 'restoreRun' | 'restoreDrill';
  readonly shape: string;
  readonly changes?: Partial<RestoreActivities>;
  /** The activity that is under way when it is cancelled. */
  readonly cancelledIn?: string;
  readonly isScheduled?: boolean;
}

function scenario({ workflow, shape, changes = {}, cancelledIn, isScheduled = false }: Shape): Scenario {
  return {
    workflow,
    shape,
    activities: () => ({ ...HAPPY, ...changes }),
    async run(client) {
      const options = { workflowId: workflowIdOf('restore', RESTORE.restoreId), taskQueue: QUEUES.session };
      const handle =
        workflow === 'restoreRun'
          ? await client.workflow.start<typeof restoreRun>('restoreRun', { ...options, args: [RESTORE] })
          : await client.workflow.start<typeof restoreDrill>('restoreDrill', {
              ...options,
              // The schedule passes no input.
              args: isScheduled ? [] : [RESTORE],
            });
      if (cancelledIn !== undefined) {
        await until(async () => {
          const { events } = await handle.fetchHistory();
          const isThere = events?.some(
            (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === cancelledIn,
          );
          return isThere === true ? true : undefined;
        }, 30_000);
        await handle.cancel();
      }
      await handle.result().catch((error: unknown) => {
        if (!(error instanceof WorkflowFailedError) || shape === 'happy') throw error;
      });
      return handle;
    },
  };
}

/** The shapes of restores and drills. */
export const RESTORE_SCENARIOS: readonly Scenario[] = [
  scenario({ workflow: 'restoreRun', shape: 'happy' }),
  scenario({
    workflow: 'restoreRun',
    shape: 'dry-run',
    changes: { checkSet: async () => ({ ...CHECKED, dryRun: true }) },
  }),
  scenario({
    workflow: 'restoreRun',
    shape: 'damaged',
    changes: { copySetIn: () => Promise.reject(failure('BackupCorrupted')) },
  }),
  scenario({ workflow: 'restoreRun', shape: 'cancelled', changes: { copySetIn: slow }, cancelledIn: 'copySetIn' }),
  // The swap completes despite the cancellation.
  scenario({ workflow: 'restoreRun', shape: 'cancelled-late', changes: { swapIn: slow }, cancelledIn: 'swapIn' }),
  scenario({ workflow: 'restoreDrill', shape: 'happy' }),
  scenario({ workflow: 'restoreDrill', shape: 'scheduled', isScheduled: true }),
  scenario({
    workflow: 'restoreDrill',
    shape: 'restore-runs',
    isScheduled: true,
    changes: { openDrill: async () => null },
  }),
  scenario({
    workflow: 'restoreDrill',
    shape: 'unproved',
    changes: { verifyRestored: () => Promise.reject(failure('RestoreVerificationFailed')) },
  }),
];
