import { z } from 'zod';
import type { ServerClient } from './server-client.ts';

const schedule = z.object({
  name: z.string(),
  does: z.string(),
  state: z.string(),
  pause_reason: z.string().nullable(),
  next_runs: z.array(z.string()),
  last_runs: z.array(
    z.object({
      started_at: z.string(),
      state: z.string().nullable(),
      result: z.record(z.string(), z.json()).nullable(),
      error: z.string().nullable(),
    }),
  ),
});
export type Schedule = z.output<typeof schedule>;
export type ScheduleChange = 'pause' | 'resume' | 'run';

const path = (name: string, change: ScheduleChange): string => `/schedules/${encodeURIComponent(name)}/${change}`;

/** What runs by itself. @throws ClientError */
export async function readSchedules(client: ServerClient): Promise<Schedule[]> {
  return (await client.request('GET', '/schedules', z.object({ data: z.array(schedule) }))).data;
}

/** Pauses a schedule for a reason, has it go on, or starts a run. @throws ClientError */
export async function changeSchedule(
  client: ServerClient,
  name: string,
  change: ScheduleChange,
  reason: string | undefined,
): Promise<Schedule> {
  const body = reason === undefined ? undefined : { reason };
  return (await client.request('POST', path(name, change), z.object({ schedule }), body)).schedule;
}
