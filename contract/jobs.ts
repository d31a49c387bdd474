import { z } from 'zod';
import { JOB_KINDS, RUN_STATES, SCHEDULE_NAMES } from '../domain/jobs.ts';
import { STUCK_REASONS } from '../domain/stuck.ts';
import { text } from './text.ts';
import { paginationSchema } from './shared.ts';

const LISTED_STATES = ['running', 'waiting', 'stuck', 'completed', 'failed', 'cancelled'] as const;
export const JOB_STATES = [...LISTED_STATES, 'terminated'] as const;
/** Filters of a list by state; `failed` includes terminated jobs. */
export const JOB_FILTERS = [...LISTED_STATES, 'all'] as const;

export const pendingSchema = z.object({
  summarise: z.number().int(),
  learn: z.number().int(),
  embed: z.number().int(),
});

/** Why work is blocked. */
export const stuckSchema = z.object({ reason: z.enum(STUCK_REASONS), why: z.string(), advice: z.string() }).nullable();

export const jobSchema = z
  .object({
    id: z.string(),
    kind: z.enum(JOB_KINDS),
    session: z
      .object({
        id: z.string(),
        user_id: z.string().describe('Id of the owner, who may retry and cancel, as admins may'),
        external_id: z.string(),
        host: z.string(),
        title: z.string().nullable(),
        project: z.string().nullable(),
        status: z.string(),
        events: z.number().int(),
      })
      .nullable(),
    state: z.enum(JOB_STATES),
    phase: z.string().nullable(),
    waiting_reason: z.string().nullable(),
    waiting_until: z.string().nullable().describe('End of the wait; only of a single job, if a worker responds'),
    attempts: z.number().int(),
    last_error: z.string().nullable().describe('Type of the failure'),
    pending: pendingSchema,
    stuck: stuckSchema,
    started_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Job' });
export type JobAnswer = z.output<typeof jobSchema>;

export const jobParams = z.object({ id: text(128) });

export const degradedSchema = z.array(z.enum(['temporal']));

export const jobAnswer = z.object({ job: jobSchema, degraded: degradedSchema });

export const scheduleSchema = z
  .object({
    name: z.enum(SCHEDULE_NAMES),
    description: z.string(),
    workflow: z.string(),
    state: z
      .enum(['active', 'paused', 'missing'])
      .describe('missing: the schedule is new; the next start of the instance creates it'),
    pause_reason: z.string().nullable(),
    overlap: z.enum(['skip', 'buffer_one']).describe('Action if a run is due while the previous one is still running'),
    catch_up_seconds: z.number().int().describe('A run missed by less than this time is started late, in seconds'),
    why: z.string().describe('Reason for the overlap and catch-up settings'),
    next_runs: z.array(z.string()),
    last_runs: z
      .array(
        z.object({
          job_id: z.string().nullable(),
          due_at: z.string(),
          started_at: z.string(),
          finished_at: z.string().nullable(),
          state: z.enum(RUN_STATES).nullable().describe('State of the run; null if Temporal no longer has it'),
          result: z.record(z.string(), z.unknown()).nullable(),
          error: z.string().nullable().describe('Type of the failure'),
        }),
      )
      .describe('Last runs, newest first'),
  })
  .meta({ id: 'Schedule' });

export const scheduleAnswer = z.object({ schedule: scheduleSchema });

export const jobsAnswer = z.object({
  data: z.array(jobSchema),
  degraded: degradedSchema,
  pagination: paginationSchema,
});
