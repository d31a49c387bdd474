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
    holder: Principal,
    name: string,
    field: 'id' | 'hash',
    { as_of: asOf, used_in: contextId }: z.output<typeof memoryQuery>,
  ) => {
    const memory =
      asOf === undefined
        ? await findMemory(database, holder, name, field)
        : await findMemoryAsOf(database, holder, name, field, new Date(asOf));
    if (contextId !== undefined)
      await database.asTenant(holder.tenantId, (transaction) =>
        countFetched(transaction, holder, contextId, [memory.id]),
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
          summary: 'One memory',
          description: 'Of a version that was replaced, the one that stands now; its id and hash are then others.',
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
          summary: 'One memory by its hash',
          description: 'HASH_AMBIGUOUS names the candidates where several memories bear it.',
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
            'A learning gets a new version, which is the answer, and keeps the old one for as_of; importance changes it in place. Of an observation tags, importance and flagged change, and flagged of observations alone. Prompts and summaries stay as they are.',
          params,
          body: memoryCorrection,
          response: { 200: memorySchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const holder = principalOf(request);
        const memory = await findMemory(database, holder, request.params.id, 'id', 'versions');
        return presentMemory(await changes.correct(holder, memory, request.body));
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
            'What a learning and its older versions say goes; no session teaches the same words again. Summaries are not forgotten, but what they were made from. Of an observation or a prompt the captured event goes, as by DELETE /events/{key}.',
          params,
          response: { 200: forgottenMemory, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const holder = principalOf(request);
        const memory = await findMemory(database, holder, request.params.id, 'id', 'versions');
        const forgotten = await changes.forget(holder, memory);
        return { id: memory.id, hash: memoryHash(memory.id), type: memory.type, forgotten };
      },
    );
    done();
  };
}
