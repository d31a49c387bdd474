import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { SCHEDULE_NAMES } from '../../../domain/jobs.ts';
import type { ScheduleName } from '../../../domain/jobs.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { ApiError } from '../../errors.ts';
import { scheduleAnswer, scheduleSchema } from '../../../contract/jobs.ts';
import { dataOf, ERROR_RESPONSES } from '../../../contract/shared.ts';
import { line } from '../../../contract/text.ts';
import { SCHEDULES } from '../../../stores/temporal/schedule-list.ts';
import type { ScheduleView } from '../../../stores/temporal/schedules.ts';
import { jobIdOf, operationOf } from '../../../stores/temporal/job-ids.ts';

const params = z.object({ name: z.enum(SCHEDULE_NAMES) });

/** @throws ApiError NOT_FOUND where a schedule was not made yet */
function requireThere(isThere: boolean): void {
  if (!isThere)
    throw new ApiError('NOT_FOUND', 'the schedule does not exist yet; the next start of the instance creates it');
}

function jobOfRun(workflowId: string): string | null {
  const name = operationOf(workflowId);
  return name === null ? null : jobIdOf(name);
}

/** A schedule as it is answered. */
export function presentSchedule(view: ScheduleView): z.input<typeof scheduleSchema> {
  const { does, workflow, overlap, catchUpSeconds, why } = SCHEDULES[view.name];
  return {
    name: view.name,
    description: does,
    workflow,
    state: view.state,
    pause_reason: view.pauseReason,
    overlap,
    catch_up_seconds: catchUpSeconds,
    why,
    next_runs: view.nextRuns.map((time) => time.toISOString()),
    last_runs: view.lastRuns.map((run) => ({
      job_id: jobOfRun(run.workflowId),
      due_at: run.dueAt.toISOString(),
      started_at: run.startedAt.toISOString(),
      finished_at: run.finishedAt?.toISOString() ?? null,
      state: run.state,
      result: run.result,
      error: run.error,
    })),
  };
}

/** `GET /schedules`, pause, resume and run: schedules, for operators. */
export function scheduleRoutes({ schedules }: ApiDependencies): FastifyPluginCallbackZod {
  const answerOf = async (name: ScheduleName): Promise<z.input<typeof scheduleAnswer>> => ({
    schedule: presentSchedule(await schedules.one(name)),
  });
  return (app, _options, done) => {
    app.get(
      '/schedules',
      {
        config: { access: 'operator' },
        schema: {
          tags: ['jobs'],
          summary: 'List schedules with their next and last runs',
          response: { 200: dataOf(scheduleSchema), ...ERROR_RESPONSES },
        },
      },
      async () => ({ data: (await schedules.list()).map(presentSchedule) }),
    );
    app.post(
      '/schedules/:name/pause',
      {
        config: { access: 'operator' },
        schema: {
          tags: ['jobs'],
          summary: 'Pause a schedule',
          description: 'The pause survives restarts. A run in progress continues.',
          params,
          body: z.strictObject({ reason: line(500).describe('Reason of the pause, shown in the list of schedules') }),
          response: { 200: scheduleAnswer, ...ERROR_RESPONSES },
        },
      },
      async ({ params: { name }, body }) => {
        requireThere(await schedules.pause(name, body.reason));
        return answerOf(name);
      },
    );
    app.post(
      '/schedules/:name/resume',
      {
        config: { access: 'operator' },
        schema: {
          tags: ['jobs'],
          summary: 'Resume a schedule',
          params,
          response: { 200: scheduleAnswer, ...ERROR_RESPONSES },
        },
      },
      async ({ params: { name } }) => {
        requireThere(await schedules.resume(name));
        return answerOf(name);
      },
    );
    app.post(
      '/schedules/:name/run',
      {
        config: { access: 'operator' },
        schema: {
          tags: ['jobs'],
          summary: 'Start a run now, even if the schedule is paused',
          params,
          response: { 202: scheduleAnswer, ...ERROR_RESPONSES },
        },
      },
      async ({ params: { name } }, reply) => {
        const outcome = await schedules.run(name);
        requireThere(outcome !== 'missing');
        if (outcome === 'runs')
          throw new ApiError('CONFLICT', 'a run is in progress, and the schedule allows only one');
        return reply.status(202).send(await answerOf(name));
      },
    );
    done();
  };
}
