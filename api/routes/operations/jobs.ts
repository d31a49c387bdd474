import { pageQuery } from '../../../contract/shared.ts';
import { projectOf } from '../../subjects.ts';
import { z } from 'zod';
import { asId } from '../../../domain/ids.ts';
import type { Principal } from '../../../stores/postgres/access/principal.ts';
import { findBatch } from '../../../stores/postgres/usage/model-batches.ts';
import { requeueAbandoned } from '../../../stores/postgres/sessions/session-work.ts';
import { JOB_KINDS } from '../../../domain/jobs.ts';
import { parseJobId } from '../../../stores/temporal/job-ids.ts';
import type { JobName } from '../../../stores/temporal/job-ids.ts';
import { operates, principalOf, isAdmin, seekerOf, route, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { ApiError, existing } from '../../errors.ts';
import { JOB_FILTERS, jobAnswer, jobParams, jobsAnswer } from '../../../contract/jobs.ts';
import { text } from '../../../contract/text.ts';
import type { Database, TenantTransaction } from '../../../stores/postgres/connection/database.ts';
import { readRequest } from '../../../stores/postgres/erasure/gdpr-requests.ts';
import { ownerOfExport, readExport } from '../../../stores/postgres/exports/exports.ts';
import { readImport } from '../../../stores/postgres/imports/imports.ts';
import { findOwnedSession } from '../../../stores/postgres/sessions/sessions.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Returns the owner of a job: of its session, its import or the data that it exports or erases; null for a job of the tenant. */
async function ownerOf(
  transaction: TenantTransaction,
  principal: Principal,
  { kind, subject }: JobName,
): Promise<string | null> {
  if (!UUID.test(subject)) return null;
  switch (kind) {
    case 'session':
    case 'learning':
      return (await findOwnedSession(transaction, subject, seekerOf(principal)))?.userId ?? null;
    case 'import':
      return (await readImport(transaction, subject))?.userId ?? null;
    case 'export': {
      const found = await readExport(transaction, subject);
      return found === null ? null : ownerOfExport(transaction, found);
    }
    case 'erasure':
      return (await readRequest(transaction, subject))?.userId ?? null;
    case 'index':
    case 'reindex':
    case 'retention':
    case 'batch':
    case 'check':
    case 'backup':
    case 'restore':
    case 'operation':
      return null;
  }
}

/** Lets pass whose job it is, and admins. @throws ApiError FORBIDDEN */
async function assertNoForeignRows(database: Database, principal: Principal, job: JobName): Promise<void> {
  if (isAdmin(principal)) return;
  const owner = await database.asTenant(viewOf(principal), (transaction) => ownerOf(transaction, principal, job));
  if (owner !== principal.userId)
    throw new ApiError('FORBIDDEN', 'only the owner of a job or an admin may cancel or retry it');
}

/** The job that an id names. @throws ApiError NOT_FOUND for what is no id of a job */
function nameOf(id: string): JobName {
  return existing(parseJobId(id), 'job');
}

/** `GET /jobs`, `GET /jobs/:id`, cancel and retry: workflows as jobs, what is stuck, and why. */
export function jobRoutes(app: Api, dependencies: ApiDependencies): void {
  const { database, jobs, jobList, steering, workflowHints } = dependencies;

  /** @throws ApiError NOT_FOUND for what the caller has none of: operations are the instance's, and shown to its operators. */
  const answerOf = async (principal: Principal, name: JobName): Promise<z.output<typeof jobAnswer>> => {
    const isHidden = name.kind === 'operation' && !operates(principal);
    const found = existing(isHidden ? null : await jobList.one(principal.tenantId, name), 'job');
    return { job: found.job, degraded: [...found.degraded] };
  };

  app.get(
    '/jobs',
    route('read', {
      tags: ['jobs'],
      summary: 'List workflows as jobs',
      description:
        'Returns stuck jobs from the database. While Temporal is unavailable, returns only session jobs, from the database, and `degraded` lists `temporal`.',
      querystring: z.strictObject({
        state: z.enum(JOB_FILTERS).default('all').describe('`failed` includes terminated jobs'),
        kind: z.enum(JOB_KINDS).optional(),
        project: text(2048).optional(),
        limit: pageQuery.limit,
        cursor: text(2048).optional().describe('`next_cursor` of the previous page of the same list'),
      }),
      response: { 200: jobsAnswer },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { tenantId } = principal;
      const { state, kind, project, limit, cursor } = request.query;
      const known = await projectOf(database, principal, project);
      const answer =
        known === null || (kind === 'operation' && !operates(principal))
          ? { jobs: [], total: 0, nextCursor: null, degraded: [] }
          : await jobList.list(tenantId, {
              state,
              kind: kind ?? null,
              projectIds: known === undefined ? null : [known.id, ...known.formerIds],
              limit,
              cursor: cursor ?? null,
            });
      const total = answer.total ?? answer.jobs.length;
      return {
        data: [...answer.jobs],
        degraded: [...answer.degraded],
        pagination: {
          page: 1,
          limit,
          total,
          total_pages: Math.ceil(total / limit),
          has_next: answer.nextCursor !== null,
          has_prev: cursor !== undefined,
          next_cursor: answer.nextCursor,
        },
      };
    },
  );

  app.get(
    '/jobs/:id',
    route('read', {
      tags: ['jobs'],
      summary: 'Get a job',
      params: jobParams,
      response: { 200: jobAnswer },
    }),
    (request) => answerOf(principalOf(request), nameOf(request.params.id)),
  );

  app.post(
    '/jobs/:id/cancel',
    route('write', {
      tags: ['jobs'],
      summary: 'Cancel a job',
      description: 'Captured data remains, and capture continues: the next event, or a retry, starts the job again.',
      params: jobParams,
      response: { 202: jobAnswer },
    }),
    async (request, reply) => {
      const principal = principalOf(request);
      const { tenantId } = principal;
      const name = nameOf(request.params.id);
      const before = await answerOf(principal, name);
      await assertNoForeignRows(database, principal, name);
      const run = await jobs.describe(tenantId, name);
      if (run?.state !== 'running' || !(await jobs.cancel(tenantId, name)))
        throw new ApiError('CONFLICT', 'the job does not run, so that there is nothing to end');
      return reply.status(202).send(before);
    },
  );

  app.post(
    '/jobs/:id/retry',
    route('write', {
      tags: ['jobs'],
      summary: 'Retry a job',
      description:
        'Wakes a waiting session, retries its parked windows and rejected vectors, and starts its workflow if none is running.',
      params: jobParams,
      response: { 202: jobAnswer },
    }),
    async (request, reply) => {
      const principal = principalOf(request);
      const { tenantId } = principal;
      const name = nameOf(request.params.id);
      await answerOf(principal, name);
      // The index job belongs to the tenant, and an additional run is harmless.
      if (name.kind !== 'index') await assertNoForeignRows(database, principal, name);
      switch (name.kind) {
        case 'session':
        case 'learning':
          await database.asTenant(tenantId, (transaction) => requeueAbandoned(transaction, name.subject));
          await steering.retry(tenantId, name.subject);
          await workflowHints.index(asId(tenantId));
          break;
        case 'index':
          await workflowHints.index(asId(tenantId));
          break;
        case 'reindex':
          await workflowHints.reindex(asId(tenantId));
          break;
        case 'batch': {
          const batch = await database.asTenant(tenantId, (transaction) => findBatch(transaction, name.subject));
          if (batch === null || batch.state === 'ended')
            throw new ApiError('CONFLICT', 'the batch is over; windows that wait go into another one');
          await workflowHints.modelBatch(tenantId, { ...batch, full: true });
          break;
        }
        case 'import':
        case 'check':
        case 'backup':
        case 'restore':
        case 'retention':
        case 'erasure':
        case 'export':
        case 'operation':
          throw new ApiError('CONFLICT', 'a job of this kind retries by itself; to repeat it, start it as before');
      }
      return reply.status(202).send(await answerOf(principal, name));
    },
  );
}
