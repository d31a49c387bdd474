import type { Collection } from 'weaviate-client';
import type { TenantId } from '../../domain/ids.ts';
import type { ListedObject, VectorIndex } from '../../domain/ports/vector-index.ts';
import { NotThere } from './connection.ts';
import { saysTheSame } from './list-objects.ts';
import { VECTOR_NAME } from './schema.ts';
import type { ChunkProperties, ChunkVectors } from './schema.ts';

type Chunks = Collection<ChunkProperties, string, ChunkVectors>;

export interface ListingParts {
  readonly list: (
    tenantId: TenantId,
    model: string,
    after: string | null,
    limit: number,
    signal: AbortSignal | undefined,
  ) => Promise<ListedObject[]>;
  readonly onTenant: <Result>(
    tenantId: TenantId,
    model: string,
    work: (chunks: Chunks) => Promise<Result>,
  ) => Promise<Result>;
}

/** What of objects is answered: all their properties where nothing is said. */
interface Shown {
  readonly returnProperties?: 'chunk'[];
  readonly includeVector?: (typeof VECTOR_NAME)[];
}
/** Some property must be named, or all of them come. */
const IDS_ALONE = { returnProperties: ['chunk'] } satisfies Shown;

/** Objects that one deletion takes. */
const REMOVED_AT_ONCE = 200;

/** What of the vector index goes through objects as they stand; a tenant or a collection that is not there has none. */
export function createListing({
  list,
  onTenant,
}: ListingParts): Pick<VectorIndex, 'standing' | 'vectorsOf' | 'list' | 'listed' | 'says' | 'removeObjects'> {
  const ifThere = async <Result>(work: () => Promise<Result>, otherwise: Result): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof NotThere) return otherwise;
      throw error;
    }
  };
  /** Those of the objects that stand there, in no order. */
  const byIds = async (tenantId: TenantId, model: string, objectIds: readonly string[], shown: Shown) => {
    if (objectIds.length === 0) return [];
    const find = () =>
      onTenant(tenantId, model, async (chunks) =>
        chunks.query.fetchObjects({
          filters: chunks.filter.byId().containsAny([...objectIds]),
          limit: objectIds.length,
          ...shown,
        }),
      );
    return (await ifThere(find, { objects: [] })).objects;
  };
  return {
    list: (tenantId, model, after, limit, signal) => ifThere(() => list(tenantId, model, after, limit, signal), []),
    listed: async (tenantId, model, objectIds) =>
      (await byIds(tenantId, model, objectIds, {})).map(({ uuid, properties }) => ({
        objectId: uuid,
        memoryId: properties.memory_id,
        properties,
      })),
    standing: async (tenantId, model, objectIds) =>
      new Set((await byIds(tenantId, model, objectIds, IDS_ALONE)).map(({ uuid }) => uuid)),
    vectorsOf: async (tenantId, model, objectIds) =>
      new Map(
        (await byIds(tenantId, model, objectIds, { ...IDS_ALONE, includeVector: [VECTOR_NAME] })).flatMap(
          ({ uuid, vectors }) => (vectors.content === undefined ? [] : [[uuid, vectors.content]]),
        ),
      ),
    says: saysTheSame,
    async removeObjects(tenantId, model, objectIds) {
      for (let from = 0; from < objectIds.length; from += REMOVED_AT_ONCE) {
        const ids = objectIds.slice(from, from + REMOVED_AT_ONCE);
        await ifThere(
          () =>
            onTenant(tenantId, model, async (chunks) => {
              await chunks.data.deleteMany(chunks.filter.byId().containsAny(ids));
            }),
          undefined,
        );
      }
    },
  };
}
