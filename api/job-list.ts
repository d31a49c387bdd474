import type { Config } from '../config/config.ts';
import type { TenantId } from '../domain/ids.ts';
import type { Database } from '../stores/postgres/connection/database.ts';
import { countIndex, readIndexes } from '../stores/postgres/embeddings/embedding-indexes.ts';
import { readSessionWork } from '../stores/postgres/sessions/session-work.ts';
import type { SessionWork, StuckBounds, WorkQuery } from '../stores/postgres/sessions/session-work.ts';
import type { JobKind } from '../domain/jobs.ts';
import type { JobName } from '../stores/temporal/job-ids.ts';
import type { DescribedJob, JobPage, JobQuery, Jobs, WorkflowJob } from '../stores/temporal/jobs.ts';
import { isAnsweredError, TemporalUnavailable } from '../stores/temporal/unavailable.ts';
import { badCursor } from './http/paging.ts';
import type { JobAnswer } from '../contract/jobs.ts';
import type { StuckAdvice } from '../domain/stuck.ts';
import { jobIdOf } from '../stores/temporal/job-ids.ts';
import { stuckAdvice } from '../domain/stuck.ts';

const NOTHING_PENDING = { summarise: 0, learn: 0, embed: 0 };

/** Returns why the job is stuck; null if it progresses. An open session whose workflow has ended by itself is stuck, too. */
export function stuckOf(run: WorkflowJob | null, work: SessionWork | null, now: number): StuckAdvice | null {
  if (work === null) return null;
  const ended = run !== null && (run.state === 'failed' || run.state === 'terminated');
  const reason = work.stuck ?? (ended && work.status === 'active' ? 'workflow_ended' : null);
  if (reason === null || work.phase === 'cancelled') return null;
  const since = reason === 'events_unconsumed' ? work.lastEventAt : work.updatedAt;
  return stuckAdvice({
    reason,
    windowsParked: work.windowsParked,
    parkedFor: work.parkedFor,
    vectorsFailed: work.vectorsFailed,
    stillMs: now - since.getTime(),
  });
}

/** Returns the times after which work without progress is stuck. */
export function stuckBounds({ sweepIntervalMs, session }: Config): StuckBounds {
  return { sweepMs: sweepIntervalMs, idleMs: session.idleMs };
}

function stateOf(run: WorkflowJob | null, work: SessionWork | null, stuck: boolean): JobAnswer['state'] {
  const waiting = run?.waiting ?? work?.waitingReason ?? null;
  if (run !== null && run.state !== 'running' && run.state !== 'completed') {
    // A cancelled workflow ended on request; one that ended early by itself is stuck.
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
function presentJob(
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
            user_id: work.userId,
            external_id: work.externalId,
            host: work.host,
            title: work.title,
            project: work.projectName,
            status: work.status,
            events: work.events,
          },
    state,
    // The database has the phase of the current run; Temporal retains the phase of an ended one.
    phase: name.kind === 'session' ? (work?.phase ?? run?.phase ?? null) : (run?.phase ?? null),
    waiting_reason: state === 'completed' ? null : (run?.waiting ?? work?.waitingReason ?? null),
    waiting_until: described?.waitingUntil?.toISOString() ?? null,
    attempts: Math.max(described?.attempts ?? 0, work?.attempts ?? 0),
    last_error: described?.lastError ?? work?.lastError ?? work?.parkedFor ?? null,
    pending: name.kind === 'session' && work !== null ? work.pending : NOTHING_PENDING,
    stuck,
    started_at: (run?.startedAt ?? work?.startedAt ?? new Date(now)).toISOString(),
    updated_at: (run?.closedAt ?? work?.updatedAt ?? run?.startedAt ?? new Date(now)).toISOString(),
  };
}

interface JobListQuery {
  readonly kind: JobKind | null;
  readonly state: JobQuery['state'] | 'stuck';
  /** The project with the ids of those that were merged into it. */
  readonly projectIds: readonly string[] | null;
  readonly limit: number;
  readonly cursor: string | null;
}

interface JobListAnswer {
  readonly jobs: readonly JobAnswer[];
  /** Null if unknown: the database reads only the requested number. */
  readonly total: number | null;
  readonly nextCursor: string | null;
  readonly degraded: readonly 'temporal'[];
}

/** Jobs about one session, with its id as their subject. */
const isOfSession = ({ kind }: JobName): boolean => kind === 'session' || kind === 'learning';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Cursor of the database's list: the id of a session. All other cursors are Temporal's. */
const DATABASE_CURSOR = /^s\.([0-9a-f-]{36})$/;
const CURSOR_FORM = /^[A-Za-z0-9_-]{1,1024}$/;

/** Returns whether a session of the database matches a state, while Temporal is unavailable. */
function matches(job: JobAnswer, state: JobListQuery['state']): boolean {
  if (state === 'all') return true;
  return state === 'failed' ? job.state === 'failed' || job.state === 'terminated' : job.state === state;
}

/**
 * Lists jobs from both sources: running and ended ones from Temporal, stuck ones with their reason from the database. While Temporal is
 * unavailable, lists only sessions, from the database.
 */
export function createJobList(parts: { readonly database: Database; readonly jobs: Jobs; readonly config: Config }) {
  const { database, jobs, config } = parts;
  const bounds = stuckBounds(config);

  const workOf = (tenantId: TenantId, query: Omit<WorkQuery, keyof typeof bounds>): Promise<SessionWork[]> =>
    database.asTenant(tenantId, (transaction) => readSessionWork(transaction, { ...query, ...bounds }));

  const workById = async (tenantId: TenantId, names: readonly JobName[]): Promise<ReadonlyMap<string, SessionWork>> => {
    const ids = names.filter((name) => isOfSession(name) && UUID.test(name.subject)).map((name) => name.subject);
    if (ids.length === 0) return new Map();
    const work = await workOf(tenantId, { ids, projectId: null, only: 'all', before: null, limit: ids.length });
    return new Map(work.map((session) => [session.id, session]));
  };

  /** A change of the index shows how many vectors it still wants. */
  const withVectors = async (tenantId: TenantId, answers: readonly JobAnswer[]): Promise<JobAnswer[]> => {
    const isChange = (job: JobAnswer): boolean => job.kind === 'reindex' && job.state !== 'completed';
    if (!answers.some(isChange)) return [...answers];
    const embed = await database.readAsTenant(tenantId, async (read) => {
      const building = (await readIndexes(read))?.building ?? null;
      return building === null ? 0 : (await countIndex(read, building.name)).waiting;
    });
    return answers.map((job) => (isChange(job) ? { ...job, pending: { ...job.pending, embed } } : job));
  };

  const fromDatabase = async (
    tenantId: TenantId,
    query: JobListQuery,
    runOf: (name: JobName) => Promise<DescribedJob | null>,
  ): Promise<Omit<JobListAnswer, 'degraded'>> => {
    if (query.kind !== null && query.kind !== 'session') return { jobs: [], total: 0, nextCursor: null };
    const before = query.cursor === null ? null : (DATABASE_CURSOR.exec(query.cursor)?.[1] ?? null);
    if (query.cursor !== null && (before === null || !UUID.test(before))) throw badCursor();
    const found = await workOf(tenantId, {
      ids: null,
      projectId: query.projectIds?.[0] ?? null,
      only: query.state === 'stuck' ? 'stuck' : query.state === 'running' || query.state === 'waiting' ? 'open' : 'all',
      before,
      limit: query.limit + 1,
    });
    const page = found.slice(0, query.limit);
    const answers = await Promise.all(
      page.map(async (work) => {
        const name = { kind: 'session', subject: work.id } as const;
        return presentJob(name, await runOf(name), work, Date.now());
      }),
    );
    const last = page.at(-1);
    return {
      // Stuck sessions are listed regardless of the state of their workflow.
      jobs: query.state === 'stuck' ? answers : answers.filter((job) => matches(job, query.state)),
      total: null,
      nextCursor: found.length > query.limit && last !== undefined ? `s.${last.id}` : null,
    };
  };

  const fromTemporal = async (
    tenantId: TenantId,
    query: JobListQuery & { state: JobQuery['state'] },
  ): Promise<Omit<JobListAnswer, 'degraded'>> => {
    let page: JobPage;
    try {
      page = await jobs.list(tenantId, { ...query, pageToken: query.cursor ?? '' });
    } catch (error) {
      if (query.cursor !== null && isAnsweredError(error)) throw badCursor();
      throw error;
    }
    const work = await workById(
      tenantId,
      page.jobs.map((job) => job.name),
    );
    return {
      jobs: await withVectors(
        tenantId,
        page.jobs.flatMap((run) => {
          const session = work.get(run.name.subject) ?? null;
          // The session was deleted or is restricted.
          return isOfSession(run.name) && session === null ? [] : [presentJob(run.name, run, session, Date.now())];
        }),
      ),
      total: page.total,
      nextCursor: page.nextPageToken === '' ? null : page.nextPageToken,
    };
  };

  return {
    async list(tenantId: TenantId, query: JobListQuery): Promise<JobListAnswer> {
      const ofDatabase = query.cursor !== null && DATABASE_CURSOR.test(query.cursor);
      if (query.cursor !== null && !ofDatabase && !CURSOR_FORM.test(query.cursor)) throw badCursor();
      const { state } = query;
      const degraded = new Set<'temporal'>();
      const runOf = async (name: JobName): Promise<DescribedJob | null> => {
        if (degraded.size > 0) return null;
        try {
          return await jobs.describe(tenantId, name);
        } catch (error) {
          if (!(error instanceof TemporalUnavailable)) throw error;
          degraded.add('temporal');
          return null;
        }
      };
      // The project of a session is the database's: Temporal knows the one that it had when its phase was last shown.
      const ofProject = query.projectIds !== null && (query.kind === null || query.kind === 'session');
      if (state !== 'stuck' && !ofDatabase && !ofProject) {
        try {
          return { ...(await fromTemporal(tenantId, { ...query, state })), degraded: [] };
        } catch (error) {
          // Only Temporal can continue a list that it started: its cursor is invalid for the database.
          if (!(error instanceof TemporalUnavailable) || query.cursor !== null) throw error;
          degraded.add('temporal');
        }
      } else if (ofDatabase && !ofProject && state !== 'stuck') {
        // The list was started without Temporal, and continues without it.
        degraded.add('temporal');
      }
      const answer = await fromDatabase(tenantId, query, runOf);
      return { ...answer, degraded: [...degraded] };
    },

    /** Returns a job; null if the tenant has none of this name, or its session is restricted. @throws TemporalUnavailable for what only Temporal knows */
    async one(tenantId: TenantId, name: JobName) {
      const work = (await workById(tenantId, [name])).get(name.subject) ?? null;
      if (isOfSession(name) && work === null) return null;
      let run: DescribedJob | null = null;
      let degraded: 'temporal'[] = [];
      try {
        run = await jobs.describe(tenantId, name);
      } catch (error) {
        if (!(error instanceof TemporalUnavailable)) throw error;
        degraded = ['temporal'];
      }
      // A session is a job even if its workflow never started or ended long ago; every other job is its workflow.
      if (run === null && name.kind !== 'session') {
        if (degraded.length > 0) throw new TemporalUnavailable('Temporal does not answer');
        return null;
      }
      const plain = presentJob(name, run, work, Date.now());
      const [job = plain] = await withVectors(tenantId, [plain]);
      return { job, degraded };
    },
  };
}
