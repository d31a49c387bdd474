import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Client, ScheduleOptions } from '@temporalio/client';
import type { ScheduleSettings, TimeOfDay, TimeOfWeek } from '../../config/schedule-settings.ts';
import { SCHEDULE_NAMES } from '../../domain/jobs.ts';
import { QUEUES, SCHEDULES, workflowIdOf } from '../../workflows/registry.ts';
import type { Schedule, ScheduleName } from '../../workflows/registry.ts';

export interface ScheduleTimes extends ScheduleSettings {
  readonly sweepIntervalMs: number;
}

type Spec = ScheduleOptions['spec'];

/** Pause reason of schedules paused by the settings. Removing the setting resumes them; user pauses remain. */
const BY_SETTINGS = 'RECOLLECT_SCHEDULES_PAUSED';

const OVERLAPS = {
  skip: ScheduleOverlapPolicy.SKIP,
  buffer_one: ScheduleOverlapPolicy.BUFFER_ONE,
} satisfies Record<Schedule['overlap'], ScheduleOverlapPolicy>;

function specOf({ time }: Schedule, times: ScheduleTimes): Spec {
  if ('everyMs' in time)
    return { intervals: [{ every: time.everyMs === 'sweepIntervalMs' ? times.sweepIntervalMs : time.everyMs }] };
  if ('everyHours' in time) return { intervals: [{ every: `${times[time.everyHours]} hours`, offset: time.offsetMs }] };
  const at: TimeOfDay & Partial<TimeOfWeek> = times[time.at];
  return {
    calendars: [{ hour: at.hour, minute: at.minute, ...(at.weekday === undefined ? {} : { dayOfWeek: at.weekday }) }],
  };
}

function optionsOf(name: ScheduleName, times: ScheduleTimes): ScheduleOptions {
  const schedule: Schedule = SCHEDULES[name];
  return {
    scheduleId: workflowIdOf('operation', name),
    spec: specOf(schedule, times),
    action: {
      type: 'startWorkflow',
      workflowType: schedule.workflow,
      taskQueue: QUEUES.session,
      workflowId: workflowIdOf('operation', name),
    },
    policies: { overlap: OVERLAPS[schedule.overlap], catchupWindow: `${schedule.catchUpSeconds} seconds` },
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
