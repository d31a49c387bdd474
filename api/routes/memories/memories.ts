import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { memoryHash } from '../../../domain/memory.ts';
import { isAdmin, principalOf } from '../../auth.ts';
import { BATCH_BODY_BYTES } from '../../http/body.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { ApiError } from '../../errors.ts';
import { countFetched, countFetchedOfNewest } from '../../memories/memory-fetches.ts';
import { findMemories } from '../../memories/memory-lookup.ts';
import type { Remembered } from '../../memories/remembering.ts';
import {
  fetchMemoriesBody,
  memoryBatch,
  memoryInput,
  memorySchema,
  storedAnswer,
  storedItem,
} from '../../../contract/memory.ts';
import { presentMemory } from '../../memories/present-memory.ts';
import { ERROR_RESPONSES } from '../../../contract/shared.ts';

function itemOf(remembered: Remembered, index: number): z.output<typeof storedItem> {
  if ('refused' in remembered) {
    const { field, message } = remembered.refused;
    return { index, status: 'rejected', hash: null, code: 'VALIDATION_FAILED', message: `${field}: ${message}` };
  }
  const status = remembered.isNew ? 'stored' : 'duplicate';
  return { index, status, hash: memoryHash(remembered.id), code: null, message: null };
}

/** `POST /memories`, `/memories/batch` and `/memories/get`: what is remembered by hand, and whole memories by their names. */
export function memoryRoutes({
  database,
  remembering,
  embeddingModel,
  workflowHints,
}: ApiDependencies): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.post(
      '/memories',
      {
        config: { access: 'write' },
        schema: {
          tags: ['memories'],
          summary: 'Remember',
          description:
            'Stored as a learning, with private text and secrets taken out. The same content of the same project and namespace is one memory: then its hash is answered with 200. With infer it is compared with what is known: the same makes that surer, more becomes its next version, and what it speaks against is closed.',
          body: memoryInput,
          response: { 200: storedAnswer, 201: storedAnswer, ...ERROR_RESPONSES },
        },
      },
      async (request, reply) => {
        const holder = principalOf(request);
        const { tenantId, userId } = holder;
        const [stored] = await remembering.remember(
          { tenantId, userId, embeddingModel, replacesAll: isAdmin(holder) },
          [request.body],
        );
        if (stored === undefined) throw new ApiError('INTERNAL', 'nothing was stored');
        if ('refused' in stored) {
          const { field, message } = stored.refused;
          throw new ApiError('VALIDATION_FAILED', `${field} ${message}`, [stored.refused]);
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
          summary: 'Remember many things',
          description:
            'At most 1,000, of them 100 with infer; one item each, in order. A bad one never spoils its neighbours.',
          body: memoryBatch,
          response: { 200: z.object({ items: z.array(storedItem) }), ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const holder = principalOf(request);
        const { tenantId, userId } = holder;
        const stored = await remembering.remember(
          { tenantId, userId, embeddingModel, replacesAll: isAdmin(holder) },
          request.body.memories,
        );
        await Promise.allSettled([workflowHints.index(tenantId)]);
        return { items: stored.map(itemOf) };
      },
    );

    app.post(
      '/memories/get',
      {
        config: { access: 'read' },
        schema: {
          tags: ['memories'],
          summary: 'Whole memories by id or hash',
          description:
            'In the order asked; `missing` are names of what is not there. Each fetch of what the context `used_in` served counts as a use; without it, of what the newest context of the last 12 hours served that held it.',
          body: fetchMemoriesBody,
          response: {
            200: z.object({ data: z.array(memorySchema), missing: z.array(z.string()) }),
            ...ERROR_RESPONSES,
          },
        },
      },
      async (request) => {
        const holder = principalOf(request);
        const { ids, used_in: contextId } = request.body;
        const found = await findMemories(database, holder, ids, (place) => `ids.${place}`);
        const memories = [...new Set(found.filter((memory) => memory !== null))];
        const foundIds = memories.map(({ id }) => id);
        if (contextId === undefined) await countFetchedOfNewest(database, holder, foundIds);
        else
          await database.asTenant(holder.tenantId, (transaction) =>
            countFetched(transaction, holder, contextId, foundIds),
          );
        return { data: memories.map(presentMemory), missing: ids.filter((_, place) => found[place] === null) };
      },
    );
    done();
  };
}
