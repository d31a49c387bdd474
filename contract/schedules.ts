import { z } from 'zod';
import { SCHEDULE_NAMES } from '../config/schedule-settings.ts';
import { jobIdOf, operationOf } from '../stores/temporal/job-ids.ts';
import { SCHEDULES } from '../stores/temporal/schedule-list.ts';
import type { ScheduleView } from '../stores/temporal/schedules.ts';
import { RUN_STATES } from '../stores/temporal/jobs.ts';

export const scheduleSchema = z
  .object({
    name: z.enum(SCHEDULE_NAMES),
    does: z.string(),
    workflow: z.string(),
    state: z
      .enum(['active', 'paused', 'missing'])
      .describe('missing: newer than the last start of this instance, which makes it'),
    pause_reason: z.string().nullable(),
    overlap: z.enum(['skip', 'buffer_one']).describe('What is done when a run is due while the one before goes on'),
    catch_up_seconds: z.number().int().describe('A run that was missed for less long is made up for'),
    why: z.string().describe('Why this overlap and this catch-up'),
    next_runs: z.array(z.string()),
    last_runs: z
      .array(
        z.object({
          job: z.string().nullable().describe('Its id among the jobs'),
          due_at: z.string(),
          started_at: z.string(),
          finished_at: z.string().nullable(),
          state: z.enum(RUN_STATES).nullable().describe('Null where Temporal no longer knows the run'),
          result: z.record(z.string(), z.unknown()).nullable(),
          error: z.string().nullable().describe('A closed word'),
        }),
      )
      .describe('Newest first'),
  })
  .meta({ id: 'Schedule' });

function jobOfRun(workflowId: string): string | null {
  const name = operationOf(workflowId);
  return name === null ? null : jobIdOf(name);
}

/** A schedule as it is answered. */
export function presentSchedule(view: ScheduleView): z.input<typeof scheduleSchema> {
  const { does, workflow, overlap, catchUpSeconds, why } = SCHEDULES[view.name];
  return {
    name: view.name,
    does,
    workflow,
    state: view.state,
    pause_reason: view.pauseReason,
    overlap,
    catch_up_seconds: catchUpSeconds,
    why,
    next_runs: view.nextRuns.map((time) => time.toISOString()),
    last_runs: view.lastRuns.map((run) => ({
      job: jobOfRun(run.workflowId),
      due_at: run.dueAt.toISOString(),
      started_at: run.startedAt.toISOString(),
      finished_at: run.finishedAt?.toISOString() ?? null,
      state: run.state,
      result: run.result,
      error: run.error,
    })),
  };
}
