import { z } from 'zod';
import { stuckAdvice } from '../domain/stuck.ts';
import type { StuckFacts } from '../domain/stuck.ts';
import type { SessionWork } from '../stores/postgres/sessions/session-work.ts';
import { JOB_KINDS, jobIdOf } from '../stores/temporal/job-ids.ts';
import type { JobName } from '../stores/temporal/job-ids.ts';
import type { DescribedJob, WorkflowJob } from '../stores/temporal/jobs.ts';

export const JOB_STATES = ['running', 'waiting', 'stuck', 'completed', 'failed', 'cancelled', 'terminated'] as const;

export const pendingSchema = z.object({
  summarise: z.number().int(),
  learn: z.number().int(),
  embed: z.number().int(),
});

export const jobSchema = z
  .object({
    id: z.string(),
    kind: z.enum(JOB_KINDS),
    session: z
      .object({
        id: z.string(),
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
    waiting_until: z.string().nullable().describe('Known for one job alone, where a worker answers'),
    attempts: z.number().int(),
    last_error: z.string().nullable().describe('A closed word'),
    pending: pendingSchema,
    stuck: z.object({ reason: z.string(), why: z.string(), advice: z.string() }).nullable(),
    started_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Job' });
export type JobAnswer = z.output<typeof jobSchema>;

const NOTHING_PENDING = { summarise: 0, learn: 0, embed: 0 };

/** Why the job stands; null where it gets on. A session that is open while its workflow has ended by itself stands, too. */
function stuckOf(run: WorkflowJob | null, work: SessionWork | null, now: number): StuckFacts | null {
  if (work === null) return null;
  const ended = run !== null && (run.state === 'failed' || run.state === 'terminated');
  const reason = work.stuck ?? (ended && work.status === 'active' ? 'workflow_ended' : null);
  if (reason === null || work.phase === 'cancelled') return null;
  const since = reason === 'events_unconsumed' ? work.lastEventAt : work.updatedAt;
  return {
    reason,
    windowsParked: work.windowsParked,
    parkedFor: work.parkedFor,
    vectorsFailed: work.vectorsFailed,
    stillMs: now - since.getTime(),
  };
}

function stateOf(run: WorkflowJob | null, work: SessionWork | null, stuck: boolean): JobAnswer['state'] {
  const waiting = run?.waiting ?? work?.waitingReason ?? null;
  if (run !== null && run.state !== 'running' && run.state !== 'completed') {
    // What was told to end has ended as it was told; what ended by itself before its time stands.
    return run.state;
  }
  if (stuck) return 'stuck';
  if (run?.state === 'completed') return 'completed';
  // Temporal's list is a moment behind: a session that is settled has nothing that runs.
  if (run !== null && work !== null && work.phase === 'settled' && work.status !== 'active') return 'completed';
  if (run === null && work?.phase === 'cancelled') return 'cancelled';
  if (run === null && work !== null && work.status !== 'active') return 'completed';
  return waiting === null ? 'running' : 'waiting';
}

/** A job from what Temporal knows, what the database knows, or both. */
export function presentJob(
  name: JobName,
  run: WorkflowJob | DescribedJob | null,
  work: SessionWork | null,
  now: number,
): JobAnswer {
  const stuck = stuckOf(run, work, now);
  const described = run !== null && 'attempts' in run ? run : null;
  const state = stateOf(run, work, stuck !== null);
  return {
    id: jobIdOf(name),
    kind: name.kind,
    session:
      work === null
        ? null
        : {
            id: work.id,
            external_id: work.externalId,
            host: work.host,
            title: work.title,
            project: work.projectName,
            status: work.status,
            events: work.events,
          },
    state,
    // What the database shows is of the present run; Temporal keeps the phase of one that is over.
    phase: name.kind === 'session' ? (work?.phase ?? run?.phase ?? null) : (run?.phase ?? null),
    waiting_reason: state === 'completed' ? null : (run?.waiting ?? work?.waitingReason ?? null),
    waiting_until: described?.waitingUntil?.toISOString() ?? null,
    attempts: Math.max(described?.attempts ?? 0, work?.attempts ?? 0),
    last_error: described?.lastError ?? work?.lastError ?? work?.parkedFor ?? null,
    pending: name.kind === 'session' && work !== null ? work.pending : NOTHING_PENDING,
    stuck: stuck === null ? null : stuckAdvice(stuck),
    started_at: (run?.startedAt ?? work?.startedAt ?? new Date(now)).toISOString(),
    updated_at: (run?.closedAt ?? work?.updatedAt ?? run?.startedAt ?? new Date(now)).toISOString(),
  };
}
