import type { Client, ScheduleDescription, WorkflowExecutionDescription } from '@temporalio/client';
import { ScheduleNotFoundError, WorkflowFailedError } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { SCHEDULES, workflowIdOf } from '../../workflows/registry.ts';
import { SCHEDULE_NAMES } from '../../domain/jobs.ts';
import type { RunState, ScheduleName } from '../../domain/jobs.ts';
import { operationOf } from './job-ids.ts';
import type { JobName } from './job-ids.ts';
import { runStateOf } from './jobs.ts';
import { answeredWithin, isNotFound } from './unavailable.ts';

/** Numbers and constants that a workflow returns. */
const resultSchema = z.record(z.string(), z.json()).nullable().catch(null);
export type RunResult = z.output<typeof resultSchema>;

export interface ScheduledRun {
  readonly job: JobName | null;
  readonly dueAt: Date;
  readonly startedAt: Date;
  /** Null if Temporal no longer knows the run. */
  readonly state: RunState | null;
  readonly finishedAt: Date | null;
  /** Result of a run that has ended. */
  readonly result: RunResult;
  /** Type of the failure that ended it, from the closed list of the activities. */
  readonly error: string | null;
}

export interface ScheduleView {
  readonly name: ScheduleName;
  /** missing: this instance was set up before the schedule existed; the next start creates it. */
  readonly state: 'active' | 'paused' | 'missing';
  /** The reason given when it was paused. */
  readonly pauseReason: string | null;
  readonly nextRuns: readonly Date[];
  /** Newest first. */
  readonly lastRuns: readonly ScheduledRun[];
}

/** Schedules and their pauses. Every method rejects with TemporalUnavailable if Temporal is unavailable. */
export interface Schedules {
  list(): Promise<readonly ScheduleView[]>;
  one(name: ScheduleName): Promise<ScheduleView>;
  /** Returns false if the schedule does not exist yet. An active run continues. */
  pause(name: ScheduleName, reason: string): Promise<boolean>;
  resume(name: ScheduleName): Promise<boolean>;
  /** Starts a run now, also of a schedule that is paused. `runs`: one is under way already. */
  run(name: ScheduleName): Promise<'started' | 'runs' | 'missing'>;
}

const TIMEOUT_MS = 5_000;
const SHOWN_RUNS = 3;
const SHOWN_TIMES = 3;

/** Runs that were due, newest first, with the workflow that each became. */
function runsOf({ info }: ScheduleDescription) {
  return info.recentActions
    .flatMap(({ scheduledAt, takenAt, action }) =>
      action.type === 'startWorkflow' ? [{ dueAt: scheduledAt, startedAt: takenAt, ...action.workflow }] : [],
    )
    .toSorted((a, b) => b.startedAt.getTime() - a.startedAt.getTime())
    .slice(0, SHOWN_RUNS);
}

function errorOf(error: WorkflowFailedError): string {
  const { cause } = error;
  const inner = cause instanceof ActivityFailure ? cause.cause : cause;
  return (inner instanceof ApplicationFailure ? inner.type : null) ?? inner?.name ?? error.name;
}

/** Schedules through Temporal's client. */
export function createSchedules(client: Client): Schedules {
  const bounded = <Result>(work: () => Promise<Result>): Promise<Result> => answeredWithin(client, TIMEOUT_MS, work);
  const handleOf = (name: ScheduleName) => client.schedule.getHandle(workflowIdOf('operation', name));

  /** Returns null if Temporal does not know the schedule or run. */
  const ifThere = async <Result>(work: () => Promise<Result>): Promise<Result | null> => {
    try {
      return await bounded(work);
    } catch (error) {
      if (error instanceof ScheduleNotFoundError || isNotFound(error)) return null;
      throw error;
    }
  };

  const endOf = async (
    workflowId: string,
    runId: string,
    description: WorkflowExecutionDescription,
  ): Promise<Pick<ScheduledRun, 'result' | 'error'>> => {
    if (description.closeTime === undefined) return { result: null, error: null };
    try {
      const handle = client.workflow.getHandle(workflowId, runId, { followRuns: false });
      return { result: resultSchema.parse(await bounded(() => handle.result())), error: null };
    } catch (error) {
      if (error instanceof WorkflowFailedError) return { result: null, error: errorOf(error) };
      // Its history was deleted meanwhile, or it continued as a new run.
      if (isNotFound(error) || (error instanceof Error && error.name === 'WorkflowContinuedAsNewError'))
        return { result: null, error: null };
      throw error;
    }
  };

  const view = async (name: ScheduleName): Promise<ScheduleView> => {
    const described = await ifThere(() => handleOf(name).describe());
    if (described === null) return { name, state: 'missing', pauseReason: null, nextRuns: [], lastRuns: [] };
    const { paused, note } = described.state;
    return {
      name,
      state: paused ? 'paused' : 'active',
      pauseReason: paused ? (note ?? null) : null,
      nextRuns: paused ? [] : described.info.nextActionTimes.slice(0, SHOWN_TIMES),
      lastRuns: await Promise.all(
        runsOf(described).map(async ({ dueAt, startedAt, workflowId, firstExecutionRunId }): Promise<ScheduledRun> => {
          const run = await ifThere(() => client.workflow.getHandle(workflowId, firstExecutionRunId).describe());
          const end = run === null ? null : await endOf(workflowId, firstExecutionRunId, run);
          return {
            job: operationOf(workflowId),
            dueAt,
            startedAt,
            state: run === null ? null : runStateOf(run.status.name),
            finishedAt: run?.closeTime ?? null,
            result: end?.result ?? null,
            error: end?.error ?? null,
          };
        }),
      ),
    };
  };

  return {
    list: () => Promise.all(SCHEDULE_NAMES.map((name) => view(name))),
    one: view,
    async pause(name, reason) {
      return (await ifThere(async () => (await handleOf(name).pause(reason), true))) ?? false;
    },
    async resume(name) {
      return (await ifThere(async () => (await handleOf(name).unpause(), true))) ?? false;
    },
    async run(name) {
      const { state, lastRuns } = await view(name);
      if (state === 'missing') return 'missing';
      // Temporal would leave the run out, and say nothing.
      if (SCHEDULES[name].overlap === 'skip' && lastRuns.some((run) => run.state === 'running')) return 'runs';
      await bounded(() => handleOf(name).trigger());
      return 'started';
    },
  };
}
