import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { listErasures, openErasure, readErasure } from '../../../stores/postgres/erasure/erasures.ts';
import type { StoredErasure } from '../../../stores/postgres/erasure/erasures.ts';
import { openExport } from '../../../stores/postgres/exports/exports.ts';
import { findText, TooMuchFound } from '../../../stores/postgres/erasure/find-text.ts';
import { assertNoLegalHold, LegalHoldError } from '../../../stores/postgres/retention/legal-holds.ts';
import type { TenantTransaction } from '../../../stores/postgres/connection/database.ts';
import { isLastAdmin, restrictPerson, restrictSession, tenantName } from '../../../stores/postgres/access/people.ts';
import type { Principal } from '../../../stores/postgres/access/api-keys.ts';
import { mayActFor, principalOf, viewerOf } from '../../auth.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { ApiError } from '../../errors.ts';
import { createMemoryChanges } from '../../memories/memory-changes.ts';
import { findMemory } from '../../memories/memory-lookup.ts';
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
import { presentMemory } from '../../memories/present-memory.ts';
import { dataOf, ERROR_RESPONSES } from '../../../contract/shared.ts';
import { personFor, refuseOthers, sessionFor } from '../../subjects.ts';
import { numeric } from '../../../contract/query.ts';

type Wanted = z.output<typeof eraseBody>;

function refused(field: string, message: string): ApiError {
  return new ApiError('VALIDATION_FAILED', message, [{ field, message }]);
}

/** What is to be erased, by id, after it was asked whether this one may. @throws ApiError, Held */
async function subjectOf(transaction: TenantTransaction, holder: Principal, wanted: Wanted): Promise<string | null> {
  switch (wanted.kind) {
    case 'session': {
      const sessionId = await sessionFor(transaction, holder, wanted.session);
      await assertNoLegalHold(transaction, { sessionId });
      return sessionId;
    }
    case 'user': {
      const person = await personFor(transaction, holder, wanted.user);
      if (await isLastAdmin(transaction, person))
        throw new ApiError(
          'CONFLICT',
          'nobody else could administer the tenant: make another admin, or erase the tenant',
        );
      await assertNoLegalHold(transaction, { userId: person.id });
      return person.id;
    }
    case 'tenant':
      refuseOthers(holder);
      if ((await tenantName(transaction, holder.tenantId)) !== wanted.name)
        throw refused('name', 'is not the name of this tenant');
      await assertNoLegalHold(transaction, {});
      return holder.tenantId;
    case 'text':
      refuseOthers(holder);
      return null;
  }
}

export function presentErasure(row: StoredErasure): z.input<typeof erasureSchema> {
  const { rounds: _rounds, ...removed } = row.counts;
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    phase: row.phase,
    removed,
    error: row.error,
    receipt: signedReceipt.nullable().parse(row.receipt ?? null),
    requested_at: row.createdAt.toISOString(),
    finished_at: row.finishedAt?.toISOString() ?? null,
  };
}

/** What people may ask about what is kept of them: to erase, export, correct and hide it. */
export function gdprRoutes(dependencies: ApiDependencies): FastifyPluginCallbackZod {
  const { database, jobStores } = dependencies;
  const changes = createMemoryChanges(dependencies);

  const open = async (holder: Principal, wanted: Wanted): Promise<StoredErasure> => {
    const { tenantId, userId } = holder;
    try {
      return await database.asTenant(tenantId, async (transaction) => {
        const subject = await subjectOf(transaction, holder, wanted);
        const searchText = wanted.kind === 'text' ? wanted.text : null;
        return openErasure(transaction, { tenantId, requestedBy: userId, kind: wanted.kind, subject, searchText });
      });
    } catch (error) {
      if (error instanceof LegalHoldError) throw new ApiError('CONFLICT', error.message);
      throw error;
    }
  };

  return (app, _options, done) => {
    app.post(
      '/gdpr/erase',
      {
        config: { access: 'write' },
        schema: {
          tags: ['gdpr'],
          summary: 'Erase a session, a person, the tenant or a text for good',
          description:
            'Rows, vectors, caches, archives and exports; backups by a journal that every restore reads. It ends with a receipt, and once begun it cannot be called off. Own sessions and oneself: anybody; all else: admins.',
          body: eraseBody,
          response: { 200: foundText, 202: erasureSchema, ...ERROR_RESPONSES },
        },
      },
      async (request, reply) => {
        const holder = principalOf(request);
        const wanted = request.body;
        if (wanted.kind === 'text' && wanted.dry_run) {
          refuseOthers(holder);
          const found = await findText(database, holder.tenantId, wanted.text).catch((error: unknown) => {
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
        const erasure = await open(holder, wanted);
        // A row whose workflow could not be told is found by the next request in the same words, and started then.
        await jobStores.erasure(holder.tenantId, erasure.id);
        return reply.status(202).send(presentErasure(erasure));
      },
    );

    app.get(
      '/gdpr/requests',
      {
        config: { access: 'read' },
        schema: {
          tags: ['gdpr'],
          summary: 'Erasures and their receipts',
          description: 'Of the tenant for admins, else one’s own; the newest first.',
          querystring: z.strictObject({
            limit: numeric(z.number().int().min(1).max(100)).prefault(20),
            before: z.uuid().optional(),
          }),
          response: { 200: dataOf(erasureSchema), ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const holder = principalOf(request);
        const { limit, before } = request.query;
        const rows = await database.asTenant(holder.tenantId, (transaction) =>
          listErasures(transaction, { userId: viewerOf(holder) ?? null, before: before ?? null, limit }),
        );
        return { data: rows.map(presentErasure) };
      },
    );

    app.get(
      '/gdpr/requests/:id',
      {
        config: { access: 'read' },
        schema: {
          tags: ['gdpr'],
          summary: 'An erasure and its receipt',
          params: z.object({ id: z.uuid() }),
          response: { 200: erasureSchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const holder = principalOf(request);
        const row = await database.asTenant(holder.tenantId, (transaction) =>
          readErasure(transaction, request.params.id),
        );
        if (row === null || !mayActFor(holder, row.requestedBy))
          throw new ApiError('NOT_FOUND', 'there is no such request');
        return presentErasure(row);
      },
    );

    app.post(
      '/gdpr/export',
      {
        config: { access: 'write' },
        schema: {
          tags: ['gdpr'],
          summary: 'Export what is kept of a person',
          description: 'One’s own; an admin anybody’s. The same as POST /exports with the scope user.',
          body: gdprExportBody,
          response: { 202: exportSchema, ...ERROR_RESPONSES },
        },
      },
      async (request, reply) => {
        const holder = principalOf(request);
        const { tenantId, userId } = holder;
        const row = await database.asTenant(tenantId, async (transaction) => {
          const { id: subject } = await personFor(transaction, holder, request.body.user);
          return openExport(transaction, { tenantId, userId, scope: 'user', subject });
        });
        await jobStores.export(tenantId, row.id);
        return reply.status(202).send(presentExport(row));
      },
    );

    const restrict = async (
      holder: Principal,
      { user, session }: { readonly user?: string | undefined; readonly session?: string | undefined },
      until: Date | null,
    ): Promise<z.input<typeof restrictionSchema>> =>
      database.asTenant(holder.tenantId, async (transaction) => {
        const restricted_until = until?.toISOString() ?? null;
        if (session === undefined) {
          const { id } = await personFor(transaction, holder, user);
          await restrictPerson(transaction, id, until);
          return { user: id, session: null, restricted_until };
        }
        const id = await sessionFor(transaction, holder, session);
        await restrictSession(transaction, id, until);
        return { user: null, session: id, restricted_until };
      });

    app.post(
      '/gdpr/restrict',
      {
        config: { access: 'write' },
        schema: {
          tags: ['gdpr'],
          summary: 'Hide a session, or all of a person, until a time',
          description: 'From search, context, timeline, lists and tools, for everybody. Nothing is deleted.',
          body: restrictBody,
          response: { 200: restrictionSchema, ...ERROR_RESPONSES },
        },
      },
      (request) => restrict(principalOf(request), request.body, new Date(request.body.until)),
    );

    app.delete(
      '/gdpr/restrict',
      {
        config: { access: 'write' },
        schema: {
          tags: ['gdpr'],
          summary: 'Show again what was hidden',
          description: 'Of a user or a session: one of them is named.',
          querystring: restrictQuery,
          response: { 200: restrictionSchema, ...ERROR_RESPONSES },
        },
      },
      (request) => restrict(principalOf(request), request.query, null),
    );

    app.post(
      '/gdpr/rectify',
      {
        config: { access: 'write' },
        schema: {
          tags: ['gdpr'],
          summary: 'Correct a memory',
          description: 'The same as PUT /memories/{id}.',
          body: z.strictObject({ id: memoryName, correction: memoryCorrection }),
          response: { 200: memorySchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const holder = principalOf(request);
        const memory = await findMemory(database, holder, request.body.id, 'id', 'versions');
        return presentMemory(await changes.correct(holder, memory, request.body.correction));
      },
    );
    done();
  };
}
