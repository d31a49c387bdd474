import type { Config } from '../config/config.ts';
import type { TenantId } from '../domain/ids.ts';
import type { Database } from '../stores/postgres/connection/database.ts';
import { countIndex, readIndexes } from '../stores/postgres/embeddings/embedding-indexes.ts';
import { readSessionWork } from '../stores/postgres/sessions/session-work.ts';
import type { SessionWork, WorkQuery } from '../stores/postgres/sessions/session-work.ts';
import type { JobKind, JobName } from '../stores/temporal/job-ids.ts';
import type { DescribedJob, Jobs, JobPage, JobQuery } from '../stores/temporal/jobs.ts';
import { isAnsweredError, TemporalUnavailable } from '../stores/temporal/unavailable.ts';
import { ApiError } from './errors.ts';
import { presentJob } from '../contract/jobs.ts';
import type { JobAnswer } from '../contract/jobs.ts';

export interface JobListQuery {
  readonly kind: JobKind | null;
  readonly state: JobQuery['state'] | 'stuck';
  /** The project with the ids of those that were merged into it. */
  readonly projectIds: readonly string[] | null;
  readonly limit: number;
  readonly cursor: string | null;
}

export interface JobListAnswer {
  readonly jobs: readonly JobAnswer[];
  /** Null where it is not known: in the database's view only as many are looked at as are asked for. */
  readonly total: number | null;
  readonly nextCursor: string | null;
  readonly degraded: readonly 'temporal'[];
}

export interface JobList {
  list(tenantId: TenantId, query: JobListQuery): Promise<JobListAnswer>;
  /** Null when the tenant has none such. */
  one(
    tenantId: TenantId,
    name: JobName,
  ): Promise<{ readonly job: JobAnswer; readonly degraded: readonly 'temporal'[] } | null>;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Of the database's view: a session's id. Every other cursor is Temporal's. */
const DATABASE_CURSOR = /^s\.([0-9a-f-]{36})$/;
const CURSOR_FORM = /^[A-Za-z0-9_-]{1,1024}$/;

function badCursor(): ApiError {
  const message = 'is none that this list gave';
  return new ApiError('VALIDATION_FAILED', `cursor ${message}`, [{ field: 'cursor', message }]);
}

/** Which sessions of the database a state asks for, when Temporal is away. */
function matches(job: JobAnswer, state: JobListQuery['state']): boolean {
  if (state === 'all') return true;
  return state === 'failed' ? job.state === 'failed' || job.state === 'terminated' : job.state === state;
}

/**
 * Jobs from both who know of them: Temporal what runs and ran, the database what stands and why. What is stuck, the database knows best; while
 * Temporal is away it answers alone, for sessions.
 */
export function createJobList(parts: {
  readonly database: Database;
  readonly jobs: Jobs;
  readonly config: Config;
}): JobList {
  const { database, jobs, config } = parts;
  const bounds = { sweepMs: config.sweepIntervalMs, idleMs: config.session.idleMs };

  const workOf = (tenantId: TenantId, query: Omit<WorkQuery, keyof typeof bounds>): Promise<SessionWork[]> =>
    database.asTenant(tenantId, (transaction) => readSessionWork(transaction, { ...query, ...bounds }));

  const workById = async (tenantId: TenantId, names: readonly JobName[]): Promise<ReadonlyMap<string, SessionWork>> => {
    const ids = names
      .filter((name) => (name.kind === 'session' || name.kind === 'learning') && UUID.test(name.subject))
      .map((name) => name.subject);
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
      // What stands is listed as that, whatever became of its workflow.
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
        page.jobs.map((run) => presentJob(run.name, run, work.get(run.name.subject) ?? null, Date.now())),
      ),
      total: page.total,
      nextCursor: page.nextPageToken === '' ? null : page.nextPageToken,
    };
  };

  return {
    async list(tenantId, query) {
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
          // A list that Temporal began is ended by nobody else: its cursor says nothing to the database.
          if (!(error instanceof TemporalUnavailable) || query.cursor !== null) throw error;
          degraded.add('temporal');
        }
      } else if (ofDatabase && !ofProject && state !== 'stuck') {
        // The list was begun without Temporal, and is ended so.
        degraded.add('temporal');
      }
      const answer = await fromDatabase(tenantId, query, runOf);
      return { ...answer, degraded: [...degraded] };
    },

    async one(tenantId, name) {
      const work = (await workById(tenantId, [name])).get(name.subject) ?? null;
      let run: DescribedJob | null = null;
      let degraded: 'temporal'[] = [];
      try {
        run = await jobs.describe(tenantId, name);
      } catch (error) {
        if (!(error instanceof TemporalUnavailable)) throw error;
        degraded = ['temporal'];
      }
      // A session is a job even when its workflow was never told or is long over; every other job is its workflow.
      if (run === null && (work === null || name.kind !== 'session')) {
        if (degraded.length > 0 && name.kind !== 'session') throw new TemporalUnavailable('Temporal does not answer');
        return null;
      }
      const plain = presentJob(name, run, work, Date.now());
      const [job = plain] = await withVectors(tenantId, [plain]);
      return { job, degraded };
    },
  };
}
