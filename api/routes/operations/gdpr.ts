import { z } from 'zod';
import { listErasures, openErasure, readErasure } from '../../../stores/postgres/erasure/erasures.ts';
import type { StoredErasure } from '../../../stores/postgres/erasure/erasures.ts';
import { openExport } from '../../../stores/postgres/exports/exports.ts';
import { findText, TooMuchFound } from '../../../stores/postgres/erasure/find-text.ts';
import { assertNoLegalHold, LegalHoldError } from '../../../stores/postgres/retention/legal-holds.ts';
import type { TenantTransaction } from '../../../stores/postgres/connection/database.ts';
import { restrictPerson, restrictSession, tenantName } from '../../../stores/postgres/access/people.ts';
import { hasActingAdmin, lockAccess } from '../../../stores/postgres/access/users.ts';
import type { Principal } from '../../../stores/postgres/access/principal.ts';
import { principalOf, viewerOf, guardedRoute, route, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { present } from '../../http/present.ts';
import { ApiError } from '../../errors.ts';
import { createMemoryChanges } from '../../memories/memory-changes.ts';
import { findMemory, presentMemory } from '../../memories/memory-lookup.ts';
import { presentExport } from './exports.ts';
import {
  eraseBody,
  erasureSchema,
  exportSchema,
  foundText,
  gdprExportBody,
  restrictBody,
  restrictionSchema,
  restrictQuery,
  signedReceipt,
} from '../../../contract/gdpr.ts';
import { memoryCorrection, memoryName, memorySchema } from '../../../contract/memory.ts';
import { dataOf, idParams, pageQuery } from '../../../contract/shared.ts';
import { personFor, refuseOthers, sessionFor, ownedBy } from '../../subjects.ts';

type Wanted = z.output<typeof eraseBody>;

function refused(field: string, message: string): ApiError {
  return new ApiError('VALIDATION_FAILED', message, [{ field, message }]);
}

/** Returns the id of the subject, after authorization. @throws ApiError, LegalHoldError */
async function subjectOf(transaction: TenantTransaction, principal: Principal, wanted: Wanted): Promise<string | null> {
  switch (wanted.kind) {
    case 'session': {
      const sessionId = await sessionFor(transaction, principal, wanted.session);
      await assertNoLegalHold(transaction, { sessionId });
      return sessionId;
    }
    case 'user': {
      const person = await personFor(transaction, principal, wanted.user);
      await lockAccess(transaction);
      if (person.role === 'admin' && !(await hasActingAdmin(transaction, { userId: person.id })))
        throw new ApiError(
          'CONFLICT',
          'no other admin of the tenant has a key of the scope admin: let another admin join, or erase the tenant',
        );
      await assertNoLegalHold(transaction, { userId: person.id });
      return person.id;
    }
    case 'tenant':
      refuseOthers(principal);
      if ((await tenantName(transaction, principal.tenantId)) !== wanted.name)
        throw refused('name', 'is not the name of this tenant');
      await assertNoLegalHold(transaction, {});
      return principal.tenantId;
    case 'text':
      refuseOthers(principal);
      return null;
  }
}

export function presentErasure(row: StoredErasure): z.input<typeof erasureSchema> {
  const { rounds: _rounds, ...removed } = row.counts;
  return present(erasureSchema, {
    ...row,
    removed,
    receipt: signedReceipt.nullable().parse(row.receipt ?? null),
    requestedAt: row.createdAt,
  });
}

/** Rights of users over their data: erase, export, correct and restrict. */
export function gdprRoutes(app: Api, dependencies: ApiDependencies): void {
  const { database, startJob } = dependencies;
  const changes = createMemoryChanges(dependencies);

  const open = async (principal: Principal, wanted: Wanted): Promise<StoredErasure> => {
    const { tenantId, userId } = principal;
    try {
      return await database.asTenant(viewOf(principal), async (transaction) => {
        const subject = await subjectOf(transaction, principal, wanted);
        const searchText = wanted.kind === 'text' ? wanted.text : null;
        return openErasure(transaction, { tenantId, requestedBy: userId, kind: wanted.kind, subject, searchText });
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
        'Deletes rows, vectors, caches, archives and exports; backups are covered by a journal that every restore repeats. Ends with a receipt, and cannot be cancelled once started. Users and viewers may erase themselves and their own sessions; everything else requires an admin.',
      body: eraseBody,
      response: { 200: foundText, 202: erasureSchema },
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
      const erasure = await open(principal, wanted);
      // If the workflow cannot be started, the next identical request finds the row and starts it.
      await startJob('erasureRun', principal.tenantId, erasure.id, {
        tenantId: principal.tenantId,
        erasureId: erasure.id,
      });
      return reply.status(202).send(presentErasure(erasure));
    },
  );

  app.get(
    '/gdpr/requests',
    route('read', {
      tags: ['gdpr'],
      summary: 'List erasures and their receipts, newest first',
      description: 'Returns the erasures of the tenant for admins, else those of the caller.',
      querystring: z.strictObject({
        limit: pageQuery.limit,
        before: z.uuid().optional(),
      }),
      response: { 200: dataOf(erasureSchema) },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { limit, before } = request.query;
      const rows = await database.asTenant(viewOf(principal), (transaction) =>
        listErasures(transaction, { userId: viewerOf(principal) ?? null, before: before ?? null, limit }),
      );
      return { data: rows.map(presentErasure) };
    },
  );

  app.get(
    '/gdpr/requests/:id',
    route('read', {
      tags: ['gdpr'],
      summary: 'Get an erasure and its receipt',
      params: idParams,
      response: { 200: erasureSchema },
    }),
    async (request) => {
      const principal = principalOf(request);
      const row = await database.asTenant(viewOf(principal), (transaction) =>
        readErasure(transaction, request.params.id),
      );
      return presentErasure(ownedBy(principal, row, row?.requestedBy, 'request'));
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
        return openExport(transaction, { tenantId, userId, scope: 'user', subject, includeRestricted });
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
      if (session === undefined) {
        const { id } = await personFor(transaction, principal, user);
        await restrictPerson(transaction, id, until);
        return { user: id, session: null, restricted_until };
      }
      const id = await sessionFor(transaction, principal, session);
      await restrictSession(transaction, id, until);
      return { user: null, session: id, restricted_until };
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
      description: 'Equivalent to PUT /memories/{id}.',
      body: z.strictObject({ id: memoryName, correction: memoryCorrection }),
      response: { 200: memorySchema },
    }),
    async (request) => {
      const principal = principalOf(request);
      const memory = await findMemory(database, principal, request.body.id, 'id', 'versions');
      return presentMemory(await changes.correct(principal, memory, request.body.correction));
    },
  );
}
