import { z } from 'zod';
import { SCHEDULE_NAMES } from '../domain/jobs.ts';

const WEEKDAYS = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'] as const;
export type Weekday = (typeof WEEKDAYS)[number];
const TIME = /^([01]\d|2[0-3]):([0-5]\d)$/u;
const WEEK_TIME = /^(?:SUN|MON|TUE|WED|THU|FRI|SAT) (?:[01]\d|2[0-3]):[0-5]\d$/u;

/** A time of day, UTC. */
export interface TimeOfDay {
  readonly hour: number;
  readonly minute: number;
}

/** A time of the week, UTC. */
export interface TimeOfWeek extends TimeOfDay {
  readonly weekday: Weekday;
}

const timeOfDay = z.string().regex(TIME, { error: 'needs a time of day in UTC, as 02:10' });
const timeOfWeek = z.string().regex(WEEK_TIME, { error: 'needs a day of the week and a time in UTC, as SUN 04:30' });

function readTime(given: string): TimeOfDay {
  const [, hour, minute] = TIME.exec(given) ?? [];
  return { hour: Number(hour), minute: Number(minute) };
}

function readWeekTime(given: string): TimeOfWeek {
  const weekday = WEEKDAYS.find((name) => name.startsWith(given.slice(0, 3))) ?? 'SUNDAY';
  return { weekday, ...readTime(given.slice(-5)) };
}

/** When what keeps an instance healthy runs. All times are UTC: a schedule must not run twice, or not at all, when clocks are changed. */
export const scheduleEnvironment = {
  RECOLLECT_BACKUP_EVERY_HOURS: z.coerce
    .number()
    .int()
    .min(1)
    .max(168)
    .default(6)
    .describe('Hours from one backup to the next; counted from 00:50 UTC'),
  RECOLLECT_DRILL_AT: timeOfWeek
    .default('SUN 04:30')
    .describe('When a week’s restore drill begins, UTC: day (SUN to SAT) and time'),
  RECOLLECT_RETENTION_AT: timeOfDay.default('02:10').describe('When retention runs each day, UTC'),
  RECOLLECT_CONSOLIDATION_AT: timeOfDay.default('03:40').describe('When learnings are consolidated each day, UTC'),
  RECOLLECT_CONSISTENCY_AT: timeOfDay
    .default('05:30')
    .describe('When PostgreSQL and Weaviate are compared each day, UTC'),
  RECOLLECT_CONSISTENCY_REPAIR: z
    .stringbool()
    .default(true)
    .describe('Whether the daily comparison mends what it finds, or only counts it'),
  RECOLLECT_STATISTICS_AT: timeOfDay
    .default('00:20')
    .describe('When the figures of a day are written down, UTC: those of the day that it is then'),
  RECOLLECT_SCHEDULES_PAUSED: z
    .string()
    .max(1_024)
    .default('')
    .describe(`Schedules that stand still, joined by commas: ${SCHEDULE_NAMES.join(', ')}`),
};

type Environment = z.output<z.ZodObject<typeof scheduleEnvironment>>;

export interface ScheduleSettings {
  readonly backupEveryHours: number;
  readonly drillAt: TimeOfWeek;
  readonly retentionAt: TimeOfDay;
  readonly consolidationAt: TimeOfDay;
  readonly consistencyAt: TimeOfDay;
  readonly statisticsAt: TimeOfDay;
  /** As they were given: names that no schedule has are refused by the whole configuration. */
  readonly paused: readonly string[];
}

/** The part of the configuration that the settings above make. */
export function scheduleConfig(env: Environment): {
  readonly schedules: ScheduleSettings;
  readonly consistency: { readonly repair: boolean };
} {
  return {
    schedules: {
      backupEveryHours: env.RECOLLECT_BACKUP_EVERY_HOURS,
      drillAt: readWeekTime(env.RECOLLECT_DRILL_AT),
      retentionAt: readTime(env.RECOLLECT_RETENTION_AT),
      consolidationAt: readTime(env.RECOLLECT_CONSOLIDATION_AT),
      consistencyAt: readTime(env.RECOLLECT_CONSISTENCY_AT),
      statisticsAt: readTime(env.RECOLLECT_STATISTICS_AT),
      paused: env.RECOLLECT_SCHEDULES_PAUSED.split(',')
        .map((name) => name.trim())
        .filter((name) => name !== ''),
    },
    consistency: { repair: env.RECOLLECT_CONSISTENCY_REPAIR },
  };
}

/** What the settings are where nobody gives any. */
export const DEFAULT_SCHEDULES = scheduleConfig(z.object(scheduleEnvironment).parse({})).schedules;
