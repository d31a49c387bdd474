import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Client, ScheduleOptions } from '@temporalio/client';
import type { ScheduleSettings, TimeOfDay } from '../../config/schedule-settings.ts';
import { SCHEDULES } from '../../stores/temporal/schedule-list.ts';
import type { Overlap } from '../../stores/temporal/schedule-list.ts';
import { operationsWorkflowId } from '../../workflows/ids.ts';
import { SCHEDULE_NAMES } from '../../domain/jobs.ts';
import type { ScheduleName } from '../../domain/jobs.ts';
import { QUEUES } from '../../workflows/queues.ts';

export interface ScheduleTimes extends ScheduleSettings {
  readonly sweepIntervalMs: number;
}

type Spec = ScheduleOptions['spec'];

const TRANSCRIPTS_INTERVAL_MS = 60_000;
/** Between statistics (00:20) and retention (02:10): backups precede deletions. */
const BACKUP_OFFSET_MS = 50 * 60_000;
/** Pause reason of schedules paused by the settings. Removing the setting resumes them; user pauses remain. */
const BY_SETTINGS = 'RECOLLECT_SCHEDULES_PAUSED';

const OVERLAPS = {
  skip: ScheduleOverlapPolicy.SKIP,
  buffer_one: ScheduleOverlapPolicy.BUFFER_ONE,
} satisfies Record<Overlap, ScheduleOverlapPolicy>;

const daily = ({ hour, minute }: TimeOfDay): Spec => ({ calendars: [{ hour, minute }] });

/** Times of the schedules, hours apart to spread the load. */
function specOf(name: ScheduleName, times: ScheduleTimes): Spec {
  switch (name) {
    case 'capture-sweep':
      return { intervals: [{ every: times.sweepIntervalMs }] };
    case 'transcripts':
      return { intervals: [{ every: TRANSCRIPTS_INTERVAL_MS }] };
    case 'partitions':
      return { intervals: [{ every: '1 day' }] };
    case 'backup':
      return { intervals: [{ every: `${times.backupEveryHours} hours`, offset: BACKUP_OFFSET_MS }] };
    case 'restore-drill': {
      const { weekday, hour, minute } = times.drillAt;
      return { calendars: [{ dayOfWeek: weekday, hour, minute }] };
    }
    case 'retention':
      return daily(times.retentionAt);
    case 'consolidation':
      return daily(times.consolidationAt);
    case 'consistency':
      return daily(times.consistencyAt);
    case 'statistics':
      return daily(times.statisticsAt);
  }
}

function optionsOf(name: ScheduleName, times: ScheduleTimes): ScheduleOptions {
  const { workflow, overlap, catchUpSeconds } = SCHEDULES[name];
  return {
    scheduleId: operationsWorkflowId(name),
    spec: specOf(name, times),
    action: {
      type: 'startWorkflow',
      workflowType: workflow,
      taskQueue: QUEUES.session,
      workflowId: operationsWorkflowId(name),
    },
    policies: { overlap: OVERLAPS[overlap], catchupWindow: `${catchUpSeconds} seconds` },
  };
}

async function createOrUpdate(client: Client, options: ScheduleOptions, isPaused: boolean): Promise<void> {
  const paused = isPaused ? { paused: true, note: BY_SETTINGS } : {};
  try {
    await client.schedule.create({ ...options, state: paused });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const { spec, action, policies } = options;
    await client.schedule.getHandle(options.scheduleId).update(({ state, ...before }) => {
      const isOwn = state.paused && state.note === BY_SETTINGS;
      const next = isPaused && !state.paused ? { ...state, ...paused } : state;
      return {
        ...before,
        state: isOwn && !isPaused ? { ...state, paused: false, note: '' } : next,
        spec,
        action,
        policies: policies ?? {},
      };
    });
  }
}

/** Creates or updates schedules (default: all); user pauses remain. Idempotent. */
export async function bootstrapSchedules(
  client: Client,
  times: ScheduleTimes,
  operations: readonly ScheduleName[] = SCHEDULE_NAMES,
): Promise<void> {
  await Promise.all(
    operations.map((name) => createOrUpdate(client, optionsOf(name, times), times.paused.includes(name))),
  );
}
