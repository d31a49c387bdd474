import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { memoryHash } from '../../../domain/memory.ts';
import type { Principal } from '../../../stores/postgres/access/api-keys.ts';
import { principalOf } from '../../auth.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { createMemoryChanges } from '../../memories/memory-changes.ts';
import { countFetched } from '../../memories/memory-fetches.ts';
import { findMemory, findMemoryAsOf } from '../../memories/memory-lookup.ts';
import {
  forgottenMemory,
  memoryCorrection,
  memoryHashParams,
  memoryName,
  memoryQuery,
  memorySchema,
} from '../../../contract/memory.ts';
import { presentMemory } from '../../memories/present-memory.ts';
import { ERROR_RESPONSES } from '../../../contract/shared.ts';

const params = z.object({ id: memoryName });
/** `GET, PUT, DELETE /memories/:id` and `GET /memories/by-hash/:hash`: one memory of any type. */
export function oneMemoryRoutes(dependencies: ApiDependencies): FastifyPluginCallbackZod {
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
      await database.asTenant(principal.tenantId, (transaction) =>
        countFetched(transaction, principal, contextId, [memory.id]),
      );
    return presentMemory(memory);
  };

  return (app, _options, done) => {
    app.get(
      '/memories/:id',
      {
        config: { access: 'read' },
        schema: {
          tags: ['memories'],
          summary: 'Get a memory',
          description: 'Returns the current version of a replaced one, whose id and hash differ.',
          params,
          querystring: memoryQuery,
          response: { 200: memorySchema, ...ERROR_RESPONSES },
        },
      },
      (request) => read(principalOf(request), request.params.id, 'id', request.query),
    );

    app.get(
      '/memories/by-hash/:hash',
      {
        config: { access: 'read' },
        schema: {
          tags: ['memories'],
          summary: 'Get a memory by its hash',
          description: 'Returns HASH_AMBIGUOUS with the candidates if several memories have the hash.',
          params: memoryHashParams,
          querystring: memoryQuery,
          response: { 200: memorySchema, ...ERROR_RESPONSES },
        },
      },
      (request) => read(principalOf(request), request.params.hash, 'hash', request.query),
    );

    app.put(
      '/memories/:id',
      {
        config: { access: 'write' },
        schema: {
          tags: ['memories'],
          summary: 'Correct a memory',
          description:
            'Creates and returns a new version of a learning; `as_of` still returns the old one. `importance` changes a learning in place. Of an observation, `tags`, `importance` and `flagged` can change; only observations have `flagged`. Prompts and summaries cannot change.',
          params,
          body: memoryCorrection,
          response: { 200: memorySchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const principal = principalOf(request);
        const memory = await findMemory(database, principal, request.params.id, 'id', 'versions');
        return presentMemory(await changes.correct(principal, memory, request.body));
      },
    );

    app.delete(
      '/memories/:id',
      {
        config: { access: 'write' },
        schema: {
          tags: ['memories'],
          summary: 'Forget a memory',
          description:
            'Deletes the content of a learning and its earlier versions; it is not learned again from the same words. Deletes the captured event of an observation or a prompt, like DELETE /events/{key}. Summaries cannot be forgotten, only their sources.',
          params,
          response: { 200: forgottenMemory, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const principal = principalOf(request);
        const memory = await findMemory(database, principal, request.params.id, 'id', 'versions');
        const forgotten = await changes.forget(principal, memory);
        return { id: memory.id, hash: memoryHash(memory.id), type: memory.type, forgotten };
      },
    );
    done();
  };
}
