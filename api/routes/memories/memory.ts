import { z } from 'zod';
import { memoryHash } from '../../../domain/memory.ts';
import type { Principal } from '../../../stores/postgres/access/principal.ts';
import { guardedRoute, principalOf, route, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { createMemoryChanges } from '../../memories/memory-changes.ts';
import { countFetched } from '../../memories/memory-fetches.ts';
import { findMemory, findMemoryAsOf, presentMemory, presentSource } from '../../memories/memory-lookup.ts';
import {
  forgottenMemory,
  memoryCorrection,
  memoryHashParams,
  memoryName,
  memoryQuery,
  memorySchema,
  forgetQuery,
  dryRun,
  forgottenSchema,
} from '../../../contract/memory.ts';
import { createForgetting } from '../../memories/forgetting.ts';
import { sessionParams } from '../../../contract/sessions.ts';
import { eventKey, sessionName } from '../../../contract/trace.ts';

const params = z.object({ id: memoryName });
/** `GET, PUT, DELETE /memories/:id` and `GET /memories/by-hash/:hash`: one memory of any type. */
export function oneMemoryRoutes(app: Api, dependencies: ApiDependencies): void {
  const { database } = dependencies;
  const changes = createMemoryChanges(dependencies);

  const read = async (
    principal: Principal,
    name: string,
    field: 'id' | 'hash',
    { as_of: asOf, used_in: contextId }: z.output<typeof memoryQuery>,
  ) => {
    const memory =
      asOf === undefined
        ? await findMemory(database, principal, name, field)
        : await findMemoryAsOf(database, principal, name, field, new Date(asOf));
    if (contextId !== undefined)
      await database.asTenant(viewOf(principal), (transaction) =>
        countFetched(transaction, principal, contextId, [memory.id]),
      );
    return presentMemory(memory);
  };

  app.get(
    '/memories/:id',
    route('read', {
      tags: ['memories'],
      summary: 'Get a memory',
      description: 'Returns the current version of a replaced one, whose id and hash differ.',
      params,
      querystring: memoryQuery,
      response: { 200: memorySchema },
    }),
    (request) => read(principalOf(request), request.params.id, 'id', request.query),
  );

  app.get(
    '/memories/by-hash/:hash',
    route('read', {
      tags: ['memories'],
      summary: 'Get a memory by its hash',
      description: 'Returns HASH_AMBIGUOUS with the candidates if several memories have the hash.',
      params: memoryHashParams,
      querystring: memoryQuery,
      response: { 200: memorySchema },
    }),
    (request) => read(principalOf(request), request.params.hash, 'hash', request.query),
  );

  app.put(
    '/memories/:id',
    route('write', {
      tags: ['memories'],
      summary: 'Correct a memory',
      description:
        'Creates and returns a new version of a learning; `as_of` still returns the old one. `importance` changes a learning in place. Of an observation, `tags`, `importance` and `flagged` can change; only observations have `flagged`. Prompts and summaries cannot change.',
      params,
      body: memoryCorrection,
      response: { 200: memorySchema },
    }),
    async (request) => {
      const principal = principalOf(request);
      const memory = await findMemory(database, principal, request.params.id, 'id', 'versions');
      return presentMemory(await changes.correct(principal, memory, request.body));
    },
  );

  app.delete(
    '/memories/:id',
    route('write', {
      tags: ['memories'],
      summary: 'Forget a memory',
      description:
        'Deletes the content of a learning and its earlier versions; it is not learned again from the same words. Deletes the captured event of an observation or a prompt, like DELETE /events/{key}. The answer lists the sources of a learning or summary: captured events that search still finds with the same words unless `with_sources` forgets them, too. A summary can be forgotten only with its sources.',
      params,
      querystring: forgetQuery,
      response: { 200: forgottenMemory },
    }),
    async (request) => {
      const principal = principalOf(request);
      const memory = await findMemory(database, principal, request.params.id, 'id', 'versions');
      const { with_sources: withSources, dry_run: isDryRun } = request.query;
      const { forgotten, sources } = await changes.forget(principal, memory, { withSources, isDryRun });
      return {
        id: memory.id,
        hash: memoryHash(memory.id),
        type: memory.type,
        dry_run: isDryRun,
        forgotten,
        sources: {
          forgotten: sources.forgotten.map(presentSource),
          remaining: sources.remaining.map(presentSource),
          remaining_count: sources.remainingCount,
        },
      };
    },
  );
}

/** `DELETE /events/:key` and `DELETE /sessions/:id`: forgetting, so that no spool, transcript or restore brings it back. */
export function forgetRoutes(app: Api, dependencies: ApiDependencies): void {
  const forgetting = createForgetting(dependencies);

  app.delete(
    '/events/:key',
    route('write', {
      tags: ['capture'],
      summary: 'Forget one event',
      description:
        'Deletes the rows and vectors of the event and everything that quotes it, and summarises its windows again. A repeated delivery of the event is rejected with EVENT_FORGOTTEN.',
      params: z.object({ key: eventKey }),
      querystring: z.strictObject({ session: sessionName, dry_run: dryRun }),
      response: { 200: forgottenSchema },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { session, dry_run: isDryRun } = request.query;
      const { event, forgotten } = await forgetting.event(principal, {
        given: request.params.key,
        session,
        isDryRun,
      });
      return { dry_run: isDryRun, session_id: event.sessionId, key: event.key, forgotten };
    },
  );

  app.delete(
    '/sessions/:id',
    guardedRoute('admin', {
      tags: ['sessions'],
      summary: 'Forget a session',
      description: 'Hides the session at once, deletes its content, and rejects later events of it.',
      params: sessionParams,
      querystring: z.strictObject({ dry_run: dryRun }),
      response: { 200: forgottenSchema },
    }),
    async (request) => {
      const { dry_run: isDryRun } = request.query;
      const { sessionId, forgotten } = await forgetting.session(principalOf(request), request.params.id, isDryRun);
      return { dry_run: isDryRun, session_id: sessionId, key: null, forgotten };
    },
  );
}
