import { z } from 'zod';
import { countIndex, readIndexes } from '../../../stores/postgres/embeddings/embedding-indexes.ts';
import { requestRefill } from '../../../stores/postgres/embeddings/embedding-rewrites.ts';
import type { IndexCounts, TenantIndexes } from '../../../stores/postgres/embeddings/embedding-indexes.ts';
import { principalOf, route, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { indexesSchema } from '../../../contract/operations.ts';

const NONE: IndexCounts = { waiting: 0, indexed: 0, failed: 0 };

/** `GET` and `POST /admin/reindex`: which index a tenant is searched in, and the change to the one that the settings ask for. */
export function reindexRoutes(app: Api, { database, embeddingModel, workflowHints }: ApiDependencies): void {
  const present = (
    indexes: TenantIndexes | null,
    counts: ReadonlyMap<string, IndexCounts>,
  ): Omit<z.input<typeof indexesSchema>, 'dry_run'> => {
    const serving = indexes?.serving ?? embeddingModel;
    const countsOf = (name: string): IndexCounts => counts.get(name) ?? NONE;
    const building = indexes?.building ?? null;
    return {
      wanted: embeddingModel.name,
      needed: serving.name !== embeddingModel.name,
      serving: {
        index: serving.name,
        dimension: serving.dimension,
        ...countsOf(serving.name),
        rewriting: indexes !== null && indexes.rewrite !== null,
      },
      building:
        building === null || indexes === null
          ? null
          : {
              index: building.name,
              dimension: building.dimension,
              ...countsOf(building.name),
              memories: { total: indexes.fillTotal, filled: indexes.fillCount, complete: building.filled },
              waiting_reason: indexes.error,
            },
      retired:
        indexes?.retired === null || indexes === null
          ? null
          : { index: indexes.retired.name, until: indexes.retired.at.toISOString() },
    };
  };

  const read = (request: Parameters<typeof principalOf>[0]) =>
    database.readAsTenant(viewOf(principalOf(request)), async (run) => {
      const indexes = await readIndexes(run);
      const counts = new Map<string, IndexCounts>();
      for (const index of indexes === null ? [] : [indexes.serving, indexes.building])
        if (index !== null) counts.set(index.name, await countIndex(run, index.name));
      return present(indexes, counts);
    });

  app.get(
    '/admin/reindex',
    route('admin', {
      tags: ['admin'],
      summary: 'Get the served index and the target index',
      response: { 200: indexesSchema },
    }),
    async (request) => ({ dry_run: true, ...(await read(request)) }),
  );

  app.post(
    '/admin/reindex',
    route('admin', {
      tags: ['admin'],
      summary: 'Build and switch to the configured index now',
      description:
        'Starts the change that otherwise starts automatically within a minute. Search uses the old index until the new one is complete. A dry run only counts.',
      body: z.strictObject({
        dry_run: z.boolean().default(false).describe('Count the vectors to build, without building'),
        rebuild: z.boolean().default(false).describe('Rebuild the served index, after data loss in Weaviate'),
      }),
      response: { 202: indexesSchema },
    }),
    async (request, reply) => {
      const { dry_run: isDryRun, rebuild } = request.body;
      const { tenantId } = principalOf(request);
      if (!isDryRun) {
        if (rebuild) await database.asTenant(tenantId, requestRefill);
        await workflowHints.index(tenantId);
        await workflowHints.reindex(tenantId);
      }
      return reply.status(202).send({ dry_run: isDryRun, ...(await read(request)) });
    },
  );
}
