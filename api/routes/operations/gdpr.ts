import { z } from 'zod';
import { openErasure } from '../../../stores/postgres/erasure/erasures.ts';
import { ownerOfSession } from '../../../stores/postgres/erasure/gdpr-requests.ts';
import type { StoredRequest } from '../../../stores/postgres/erasure/gdpr-requests.ts';
import { openExport } from '../../../stores/postgres/exports/exports.ts';
import { findText, TooMuchFound } from '../../../stores/postgres/erasure/find-text.ts';
import { assertNoLegalHold, LegalHoldError } from '../../../stores/postgres/retention/legal-holds.ts';
import type { TenantTransaction } from '../../../stores/postgres/connection/database.ts';
import { restrictPerson, restrictSession, tenantName } from '../../../stores/postgres/access/people.ts';
import { hasActingAdmin, lockAccess } from '../../../stores/postgres/access/users.ts';
import type { Principal } from '../../../stores/postgres/access/principal.ts';
import { guardedRoute, isAdmin, mayActFor, principalOf, requireOwn, route, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { createDataRequests } from '../../data-requests.ts';
import { ApiError } from '../../errors.ts';
import { redactedCorrection } from '../../memories/remembering.ts';
import { createMemoryChanges } from '../../memories/memory-changes.ts';
import { findMemory, presentMemory } from '../../memories/memory-lookup.ts';
import { presentExport } from './exports.ts';
import { presentRequest } from './gdpr-requests.ts';
import {
  eraseBody,
  gdprRequestSchema,
  exportSchema,
  foundText,
  gdprExportBody,
  restrictBody,
  restrictionSchema,
  restrictQuery,
} from '../../../contract/gdpr.ts';
import { memoryCorrection, memoryName, memorySchema } from '../../../contract/memory.ts';
import { personFor, refuseOthers, sessionFor } from '../../subjects.ts';

type Wanted = z.output<typeof eraseBody>;

function refused(field: string, message: string): ApiError {
  return new ApiError('VALIDATION_FAILED', message, [{ field, message }]);
}

/** What an erasure is of, and whose data. */
interface Subject {
  readonly id: string | null;
  readonly userId: string | null;
}

/** Returns the subject, after authorization. @throws ApiError, LegalHoldError */
async function subjectOf(transaction: TenantTransaction, principal: Principal, wanted: Wanted): Promise<Subject> {
  switch (wanted.kind) {
    case 'session': {
      const sessionId = await sessionFor(transaction, principal, wanted.session);
      await assertNoLegalHold(transaction, { sessionId });
      return { id: sessionId, userId: await ownerOfSession(transaction, sessionId) };
    }
    case 'user': {
      const person = await personFor(transaction, principal, wanted.user);
      // An agent that was misled must not erase its user; over others, an admin decides.
      if (person.id === principal.userId) requireOwn(principal, 'account');
      await lockAccess(transaction);
      if ((await hasActingAdmin(transaction)) && !(await hasActingAdmin(transaction, { userId: person.id })))
        throw new ApiError(
          'CONFLICT',
          'no other admin of the tenant can log in or has a key of the scope admin: let another admin join, or erase the tenant',
        );
      await assertNoLegalHold(transaction, { userId: person.id });
      return { id: person.id, userId: person.id };
    }
    case 'tenant':
      refuseOthers(principal);
      if ((await tenantName(transaction, principal.tenantId)) !== wanted.name)
        throw refused('name', 'is not the name of this tenant');
      await assertNoLegalHold(transaction, {});
      return { id: principal.tenantId, userId: null };
    case 'text':
      return { id: null, userId: null };
  }
}

/** Rights of users over their data: erase, export, correct and restrict. */
export function gdprRoutes(app: Api, dependencies: ApiDependencies): void {
  const { database, startJob, heavy } = dependencies;
  const changes = createMemoryChanges(dependencies);
  const requests = createDataRequests(dependencies);

  const open = async (principal: Principal, wanted: Wanted): Promise<StoredRequest> => {
    const { tenantId, userId } = principal;
    try {
      return await database.asTenant(viewOf(principal), async (transaction) => {
        const subject = await subjectOf(transaction, principal, wanted);
        const searchText = wanted.kind === 'text' ? wanted.text : null;
        const { kind } = wanted;
        const job = { tenantId, requestedBy: userId, kind, subject: subject.id, searchText };
        const { id } = await openErasure(transaction, job);
        const request = { right: 'erase', kind, state: 'running', userId: subject.userId } as const;
        return requests.open(transaction, principal, request, id);
      });
    } catch (error) {
      if (error instanceof LegalHoldError) throw new ApiError('CONFLICT', error.message);
      throw error;
    }
  };

  app.post(
    '/gdpr/erase',
    guardedRoute('self', {
      tags: ['gdpr'],
      summary: 'Erase a session, a user, the tenant or a text permanently',
      description:
        'Deletes rows, vectors, caches, archives and exports; backups are covered by a journal that every restore repeats. Ends with a receipt, and cannot be cancelled once started. Users and viewers may erase themselves, by a log-in or a key with all scopes of their role, and their own sessions; their request to erase a text, which others may share, waits for an admin. Everything else requires an admin.',
      body: eraseBody,
      response: { 200: foundText, 202: gdprRequestSchema },
    }),
    async (request, reply) => {
      const principal = principalOf(request);
      const wanted = request.body;
      if (wanted.kind === 'text' && wanted.dry_run) {
        refuseOthers(principal);
        const found = await findText(database, principal.tenantId, wanted.text).catch((error: unknown) => {
          throw error instanceof TooMuchFound ? refused('text', error.message) : error;
        });
        return reply.status(200).send({
          dry_run: true,
          found: {
            events: found.events.length,
            summaries: found.summaries.length,
            learnings: found.learnings.length,
            entities: found.entities.length,
            archived_sessions: found.sessions.length,
          },
        });
      }
      if (wanted.kind === 'text' && !isAdmin(principal)) {
        const request = await requests.wait(principal, { right: 'erase', kind: 'text', body: { text: wanted.text } });
        return reply.status(202).send(presentRequest(request));
      }
      const erasure = await open(principal, wanted);
      // If the workflow cannot be started, the sweep or the next identical request finds the row and starts it.
      await startJob('erasureRun', principal.tenantId, erasure.id, {
        tenantId: principal.tenantId,
        erasureId: erasure.id,
      });
      return reply.status(202).send(presentRequest(erasure));
    },
  );

  app.post(
    '/gdpr/export',
    route('self', {
      tags: ['gdpr'],
      summary: 'Export the data of a user',
      description:
        'Exports the data of the caller or, for admins, of any user. Equivalent to POST /exports with the scope `user`.',
      body: gdprExportBody,
      response: { 202: exportSchema },
    }),
    async (request, reply) => {
      const principal = principalOf(request);
      const { tenantId, userId } = principal;
      const row = await database.asTenant(viewOf(principal), async (transaction) => {
        const { user, include_restricted: includeRestricted } = request.body;
        const { id: subject } = await personFor(transaction, principal, user);
        if (includeRestricted) refuseOthers(principal);
        const opened = await openExport(transaction, { tenantId, userId, scope: 'user', subject, includeRestricted });
        const job = { right: 'export', kind: 'user', state: 'running', userId: subject } as const;
        await requests.open(transaction, principal, job, opened.id);
        return opened;
      });
      await startJob('exportRun', tenantId, row.id, { tenantId, jobId: row.id });
      return reply.status(202).send(presentExport(row));
    },
  );

  const restrict = async (
    principal: Principal,
    { user, session }: { readonly user?: string | undefined; readonly session?: string | undefined },
    until: Date | null,
  ): Promise<z.input<typeof restrictionSchema>> =>
    database.asTenant(viewOf(principal), async (transaction) => {
      const restricted_until = until?.toISOString() ?? null;
      const note = (kind: 'user' | 'session', userId: string | null): Promise<string> | null =>
        until === null
          ? null
          : requests.meet(transaction, principal, { right: 'restrict', kind, userId }, { until: until.toISOString() });
      if (session === undefined) {
        const { id } = await personFor(transaction, principal, user);
        await restrictPerson(transaction, id, until);
        return { user: id, session: null, restricted_until, request: await note('user', id) };
      }
      const id = await sessionFor(transaction, principal, session);
      await restrictSession(transaction, id, until);
      const request = await note('session', await ownerOfSession(transaction, id));
      return { user: null, session: id, restricted_until, request };
    });

  app.post(
    '/gdpr/restrict',
    route('self', {
      tags: ['gdpr'],
      summary: 'Restrict a session or a user until a time',
      description: 'Excludes the data from search, context, timeline, lists and tools for all users. Deletes nothing.',
      body: restrictBody,
      response: { 200: restrictionSchema },
    }),
    (request) => restrict(principalOf(request), request.body, new Date(request.body.until)),
  );

  app.delete(
    '/gdpr/restrict',
    route('self', {
      tags: ['gdpr'],
      summary: 'Lift a restriction',
      description: 'Name either a user or a session.',
      querystring: restrictQuery,
      response: { 200: restrictionSchema },
    }),
    (request) => restrict(principalOf(request), request.query, null),
  );

  app.post(
    '/gdpr/rectify',
    route('self', {
      tags: ['gdpr'],
      summary: 'Correct a memory',
      description:
        'Equivalent to PUT /memories/{id} for own memories. The correction of a learning of another user waits for an admin: 202 with the request.',
      body: z.strictObject({ id: memoryName, correction: memoryCorrection }),
      response: { 200: memorySchema, 202: gdprRequestSchema },
    }),
    async (request, reply) => {
      const principal = principalOf(request);
      const { id, correction } = request.body;
      const memory = await findMemory(database, principal, id, 'id', 'versions');
      if (memory.type === 'learning' && !mayActFor(principal, memory.userId)) {
        const body = { id: memory.id, correction: await redactedCorrection(heavy, principal.userId, correction) };
        return reply
          .status(202)
          .send(presentRequest(await requests.wait(principal, { right: 'rectify', kind: 'memory', body })));
      }
      const corrected = await changes.correct(principal, memory, correction);
      await database.asTenant(viewOf(principal), (transaction) =>
        requests.meet(
          transaction,
          principal,
          { right: 'rectify', kind: 'memory', userId: memory.userId },
          { memory: corrected.id },
        ),
      );
      return reply.status(200).send(presentMemory(corrected));
    },
  );
}
