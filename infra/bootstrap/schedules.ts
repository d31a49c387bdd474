import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Client, ScheduleOptions } from '@temporalio/client';
import type { Config } from '../../config/config.ts';
import type { ScheduleSettings, TimeOfDay, TimeOfWeek } from '../../config/schedule-settings.ts';
import { SCHEDULE_NAMES } from '../../domain/jobs.ts';
import { QUEUES, SCHEDULES, workflowIdOf } from '../../workflows/registry.ts';
import type { Schedule, ScheduleName } from '../../workflows/registry.ts';

export interface ScheduleTimes extends ScheduleSettings {
  readonly sweepIntervalMs: number;
  /** False pauses `transcripts`: without a worker on the machine of the files each run would wait for one and fail. */
  readonly readsTranscripts: boolean;
}

/** Returns the times and pauses of the schedules by the settings. */
export function scheduleTimesOf({ schedules, sweepIntervalMs, transcripts }: Config): ScheduleTimes {
  return { ...schedules, sweepIntervalMs, readsTranscripts: transcripts.mode !== 'off' };
}

type Spec = ScheduleOptions['spec'];

/** Pause reasons of schedules paused by a setting, which it names. Changing the setting resumes them; user pauses remain. */
const BY_SETTINGS = { listed: 'RECOLLECT_SCHEDULES_PAUSED', transcriptsOff: 'RECOLLECT_TRANSCRIPTS' } as const;
type PauseReason = (typeof BY_SETTINGS)[keyof typeof BY_SETTINGS];
const REASONS: readonly (string | undefined)[] = Object.values(BY_SETTINGS);

function pauseReasonOf(name: ScheduleName, { paused, readsTranscripts }: ScheduleTimes): PauseReason | null {
  if (paused.includes(name)) return BY_SETTINGS.listed;
  return name === 'transcripts' && !readsTranscripts ? BY_SETTINGS.transcriptsOff : null;
}

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

async function createOrUpdate(client: Client, options: ScheduleOptions, reason: PauseReason | null): Promise<void> {
  const bySettings = reason === null ? { paused: false, note: '' } : { paused: true, note: reason };
  try {
    await client.schedule.create({ ...options, state: bySettings });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const { spec, action, policies } = options;
    await client.schedule.getHandle(options.scheduleId).update(({ state, ...before }) => {
      const isByUser = state.paused && !REASONS.includes(state.note);
      return {
        ...before,
        state: isByUser ? state : { ...state, ...bySettings },
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
    operations.map((name) => createOrUpdate(client, optionsOf(name, times), pauseReasonOf(name, times))),
  );
}
