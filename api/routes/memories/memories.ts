import { z } from 'zod';
import { memoryHash } from '../../../domain/memory.ts';
import { isAdmin, principalOf, route, viewOf } from '../../auth.ts';
import { BATCH_BODY_BYTES } from '../../http/body.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { ApiError } from '../../errors.ts';
import { countFetched, countFetchedOfNewest } from '../../memories/memory-fetches.ts';
import { findMemories, presentMemory } from '../../memories/memory-lookup.ts';
import type { Remembered } from '../../memories/remembering.ts';
import {
  fetchMemoriesBody,
  fetchedMemories,
  memoryBatch,
  memoryInput,
  storedAnswer,
  storedItem,
} from '../../../contract/memory.ts';

function itemOf(remembered: Remembered, index: number): z.output<typeof storedItem> {
  if ('refused' in remembered) {
    const { field, message } = remembered.refused;
    return { index, status: 'rejected', hash: null, code: 'VALIDATION_FAILED', message: `${field}: ${message}` };
  }
  const status = remembered.isNew ? 'stored' : 'duplicate';
  return { index, status, hash: memoryHash(remembered.id), code: null, message: null };
}

/** `POST /memories`, `/memories/batch` and `/memories/get`: create memories, and read full ones by id or hash. */
export function memoryRoutes(
  app: Api,
  { database, remembering, embeddingModel, workflowHints }: ApiDependencies,
): void {
  app.post(
    '/memories',
    route('write', {
      tags: ['memories'],
      summary: 'Create a memory',
      description:
        'Stores a learning, without private text and secrets. Content that exists in the same project and namespace creates no memory: the response is 200 with its hash. With `infer`, the memory is compared with existing ones: a duplicate raises their confidence, a refinement becomes the next version, and a contradicted memory is closed.',
      body: memoryInput,
      response: { 200: storedAnswer, 201: storedAnswer },
    }),
    async (request, reply) => {
      const principal = principalOf(request);
      const { tenantId, userId, bounds } = principal;
      const [stored] = await remembering.remember(
        { tenantId, userId, embeddingModel, replacesAll: isAdmin(principal), bounds },
        [request.body],
      );
      if (stored === undefined) throw new ApiError('INTERNAL', 'nothing was stored');
      if ('refused' in stored) {
        const { field, message } = stored.refused;
        const code = stored.isOutside === true ? 'FORBIDDEN' : 'VALIDATION_FAILED';
        throw new ApiError(code, `${field} ${message}`, [stored.refused]);
      }
      await Promise.allSettled([workflowHints.index(tenantId)]);
      return reply.status(stored.isNew ? 201 : 200).send({ hash: memoryHash(stored.id) });
    },
  );

  app.post(
    '/memories/batch',
    {
      bodyLimit: BATCH_BODY_BYTES,
      config: { access: 'write' },
      schema: {
        tags: ['memories'],
        summary: 'Create many memories',
        description:
          'Creates at most 1,000 memories, at most 100 of them with `infer`, and returns one item per memory, in order. A rejected memory does not affect the others.',
        body: memoryBatch,
        response: { 200: z.object({ items: z.array(storedItem) }) },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const { tenantId, userId, bounds } = principal;
      const stored = await remembering.remember(
        { tenantId, userId, embeddingModel, replacesAll: isAdmin(principal), bounds },
        request.body.memories,
      );
      await Promise.allSettled([workflowHints.index(tenantId)]);
      return { items: stored.map(itemOf) };
    },
  );

  app.post(
    '/memories/get',
    route('read', {
      tags: ['memories'],
      summary: 'Get full memories by id or hash',
      description:
        'Returns memories in the requested order; `missing` lists names without a memory. Fetching a memory that the context `used_in` served counts as a use; without `used_in`, the newest context of the last 12 hours that contained the memory counts.',
      body: fetchMemoriesBody,
      response: { 200: fetchedMemories },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { ids, used_in: contextId } = request.body;
      const found = await findMemories(database, principal, ids, (place) => `ids.${place}`);
      const memories = [...new Set(found.filter((memory) => memory !== null))];
      const foundIds = memories.map(({ id }) => id);
      if (contextId === undefined) await countFetchedOfNewest(database, principal, foundIds);
      else
        await database.asTenant(viewOf(principal), (transaction) =>
          countFetched(transaction, principal, contextId, foundIds),
        );
      return { data: memories.map(presentMemory), missing: ids.filter((_, place) => found[place] === null) };
    },
  );
}
