import { z } from 'zod';
import { SCHEDULE_NAMES, SCHEDULES } from '../../../domain/jobs.ts';
import type { ScheduleName } from '../../../domain/jobs.ts';
import { route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { present } from '../../http/present.ts';
import { ApiError } from '../../errors.ts';
import { scheduleAnswer, scheduleSchema } from '../../../contract/jobs.ts';
import { dataOf } from '../../../contract/shared.ts';
import { line } from '../../../contract/text.ts';
import type { ScheduleView } from '../../../stores/temporal/schedules.ts';
import { jobIdOf } from '../../../stores/temporal/job-ids.ts';

const params = z.object({ name: z.enum(SCHEDULE_NAMES) });

/** @throws ApiError NOT_FOUND where a schedule was not made yet */
function requireThere(isThere: boolean): void {
  if (!isThere)
    throw new ApiError('NOT_FOUND', 'the schedule does not exist yet; the next start of the instance creates it');
}

/** A schedule as it is answered. */
export function presentSchedule(view: ScheduleView): z.input<typeof scheduleSchema> {
  return present(scheduleSchema, {
    ...SCHEDULES[view.name],
    ...view,
    nextRuns: view.nextRuns.map((time) => time.toISOString()),
    lastRuns: view.lastRuns.map((run) =>
      present(scheduleSchema.shape.last_runs.element, { ...run, jobId: run.job === null ? null : jobIdOf(run.job) }),
    ),
  });
}

/** `GET /schedules`, pause, resume and run: schedules, for operators. */
export function scheduleRoutes(app: Api, { schedules }: ApiDependencies): void {
  const answerOf = async (name: ScheduleName): Promise<z.input<typeof scheduleAnswer>> => ({
    schedule: presentSchedule(await schedules.one(name)),
  });

  app.get(
    '/schedules',
    route('operator', {
      tags: ['jobs'],
      summary: 'List schedules with their next and last runs',
      response: { 200: dataOf(scheduleSchema) },
    }),
    async () => ({ data: (await schedules.list()).map(presentSchedule) }),
  );
  app.post(
    '/schedules/:name/pause',
    route('operator', {
      tags: ['jobs'],
      summary: 'Pause a schedule',
      description: 'The pause survives restarts. A run in progress continues.',
      params,
      body: z.strictObject({ reason: line(500).describe('Reason of the pause, shown in the list of schedules') }),
      response: { 200: scheduleAnswer },
    }),
    async ({ params: { name }, body }) => {
      requireThere(await schedules.pause(name, body.reason));
      return answerOf(name);
    },
  );
  app.post(
    '/schedules/:name/resume',
    route('operator', {
      tags: ['jobs'],
      summary: 'Resume a schedule',
      params,
      response: { 200: scheduleAnswer },
    }),
    async ({ params: { name } }) => {
      requireThere(await schedules.resume(name));
      return answerOf(name);
    },
  );
  app.post(
    '/schedules/:name/run',
    route('operator', {
      tags: ['jobs'],
      summary: 'Start a run now, even if the schedule is paused',
      params,
      response: { 202: scheduleAnswer },
    }),
    async ({ params: { name } }, reply) => {
      const outcome = await schedules.run(name);
      requireThere(outcome !== 'missing');
      if (outcome === 'runs') throw new ApiError('CONFLICT', 'a run is in progress, and the schedule allows only one');
      return reply.status(202).send(await answerOf(name));
    },
  );
}
