import { z } from 'zod';
import { MIN_AUDIT_DAYS } from '../domain/audit/verification.ts';
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

const timeOfDay = z.string().regex(TIME, { error: 'must be a time of day in UTC, as 02:10' });
const timeOfWeek = z.string().regex(WEEK_TIME, { error: 'must be a day of the week and a time in UTC, as SUN 04:30' });

function readTime(text: string): TimeOfDay {
  const [, hour, minute] = TIME.exec(text) ?? [];
  return { hour: Number(hour), minute: Number(minute) };
}

function readWeekTime(text: string): TimeOfWeek {
  const weekday = WEEKDAYS.find((name) => name.startsWith(text.slice(0, 3))) ?? 'SUNDAY';
  return { weekday, ...readTime(text.slice(-5)) };
}

/** Settings of schedules. Times are UTC, which has no daylight saving changes. */
export const scheduleEnvironment = {
  RECOLLECT_BACKUP_EVERY_HOURS: z.coerce
    .number()
    .int()
    .min(1)
    .max(168)
    .default(6)
    .describe('Hours between backups, counted from 00:50 UTC'),
  RECOLLECT_DRILL_AT: timeOfWeek
    .default('SUN 04:30')
    .describe('Start of the weekly restore drill, UTC: day (SUN to SAT) and time'),
  RECOLLECT_RETENTION_AT: timeOfDay.default('02:10').describe('Start of the daily retention run, UTC'),
  RECOLLECT_CONSOLIDATION_AT: timeOfDay.default('03:40').describe('Start of the daily consolidation of learnings, UTC'),
  RECOLLECT_CONSISTENCY_AT: timeOfDay.default('05:30').describe('Start of the daily consistency check, UTC'),
  RECOLLECT_CONSISTENCY_REPAIR: z
    .stringbool()
    .default(true)
    .describe('The daily consistency check repairs differences; else it counts them only'),
  RECOLLECT_AUDIT_VERIFY_AT: timeOfDay
    .default('06:30')
    .describe('Start of the daily verification of the audit log, UTC'),
  RECOLLECT_AUDIT_DAYS: z.coerce
    .number()
    .int()
    .min(MIN_AUDIT_DAYS)
    .max(36_500)
    .default(400)
    .describe('Days that rows of the audit log are retained; deleted by month'),
  RECOLLECT_GDPR_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(30)
    .default(30)
    .describe('Days until the deadline of a request about personal data'),
  RECOLLECT_STATISTICS_AT: timeOfDay.default('00:20').describe('Start of the daily statistics, UTC'),
  RECOLLECT_SCHEDULES_PAUSED: z
    .string()
    .max(1_024)
    .default('')
    .describe(`Paused schedules, separated by commas: ${SCHEDULE_NAMES.join(', ')}`),
};

type Environment = z.output<z.ZodObject<typeof scheduleEnvironment>>;

export interface ScheduleSettings {
  readonly backupEveryHours: number;
  readonly drillAt: TimeOfWeek;
  readonly retentionAt: TimeOfDay;
  readonly consolidationAt: TimeOfDay;
  readonly consistencyAt: TimeOfDay;
  readonly statisticsAt: TimeOfDay;
  readonly auditVerificationAt: TimeOfDay;
  /** Validated by the configuration. */
  readonly paused: readonly string[];
}

/** Returns the part of the configuration of these settings. */
export function scheduleConfig(env: Environment): {
  readonly schedules: ScheduleSettings;
  readonly consistency: { readonly repair: boolean };
  readonly audit: { readonly days: number };
  readonly gdpr: { readonly days: number };
} {
  return {
    schedules: {
      backupEveryHours: env.RECOLLECT_BACKUP_EVERY_HOURS,
      drillAt: readWeekTime(env.RECOLLECT_DRILL_AT),
      retentionAt: readTime(env.RECOLLECT_RETENTION_AT),
      consolidationAt: readTime(env.RECOLLECT_CONSOLIDATION_AT),
      consistencyAt: readTime(env.RECOLLECT_CONSISTENCY_AT),
      statisticsAt: readTime(env.RECOLLECT_STATISTICS_AT),
      auditVerificationAt: readTime(env.RECOLLECT_AUDIT_VERIFY_AT),
      paused: env.RECOLLECT_SCHEDULES_PAUSED.split(',')
        .map((name) => name.trim())
        .filter((name) => name !== ''),
    },
    consistency: { repair: env.RECOLLECT_CONSISTENCY_REPAIR },
    audit: { days: env.RECOLLECT_AUDIT_DAYS },
    gdpr: { days: env.RECOLLECT_GDPR_DAYS },
  };
}

/** Defaults of the schedules. */
export const DEFAULT_SCHEDULES = scheduleConfig(z.object(scheduleEnvironment).parse({})).schedules;
