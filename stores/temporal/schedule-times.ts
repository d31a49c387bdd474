import type { Client } from '@temporalio/client';
import { ScheduleNotFoundError } from '@temporalio/client';
import { SCHEDULE_NAMES } from '../../domain/jobs.ts';
import type { ScheduleName } from '../../domain/jobs.ts';
import { SCHEDULES, workflowIdOf } from '../../workflows/registry.ts';
import { answeredWithin } from './unavailable.ts';

export interface ScheduleTimes {
  readonly name: ScheduleName;
  readonly createdAt: Date;
  readonly isPaused: boolean;
  /** End of the newest completed run of its workflow, also of one that a user started; null if Temporal knows none. */
  readonly lastSuccessAt: Date | null;
  /** Between its next two runs; null if fewer are planned. */
  readonly intervalMs: number | null;
}

const TIMEOUT_MS = 5_000;

/** Returns a function that reads the times of all schedules that exist. It rejects with TemporalUnavailable if Temporal does not respond in time. */
export function createReadScheduleTimes(client: Client): () => Promise<ScheduleTimes[]> {
  const lastSuccessOf = async (name: ScheduleName): Promise<Date | null> => {
    const query = `WorkflowType = '${SCHEDULES[name].workflow}' AND ExecutionStatus = 'Completed'`;
    // The newest end is first.
    for await (const run of client.workflow.list({ query, pageSize: 1 })) return run.closeTime ?? null;
    return null;
  };
  const timesOf = async (name: ScheduleName): Promise<ScheduleTimes[]> => {
    try {
      const { info, state } = await client.schedule.getHandle(workflowIdOf('operation', name)).describe();
      const [next, afterNext] = info.nextActionTimes;
      return [
        {
          name,
          createdAt: info.createdAt,
          isPaused: state.paused,
          lastSuccessAt: await lastSuccessOf(name),
          intervalMs: next === undefined || afterNext === undefined ? null : afterNext.getTime() - next.getTime(),
        },
      ];
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return [];
      throw error;
    }
  };
  return () =>
    answeredWithin(client, TIMEOUT_MS, async () => {
      const found: ScheduleTimes[] = [];
      // One after the other: no scrape waits for it.
      for (const name of SCHEDULE_NAMES) found.push(...(await timesOf(name)));
      return found;
    });
}
