import type { Collection } from 'weaviate-client';
import type { TenantId } from '../../domain/ids.ts';
import type { ListedObject, VectorIndex } from '../../domain/ports/vector-index.ts';
import { NotThere } from './connection.ts';
import { matchesChunk } from './list-objects.ts';
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

/** What is returned of objects: all properties by default. */
interface Shown {
  readonly returnProperties?: 'chunk'[];
  readonly includeVector?: (typeof VECTOR_NAME)[];
}
/** One property must be named, otherwise all are returned. */
const IDS_ALONE = { returnProperties: ['chunk'] } satisfies Shown;

/** Objects per deletion. */
const REMOVED_AT_ONCE = 200;

/** Returns the methods of the vector index that read stored objects. A missing tenant or collection has none. */
export function createListing({
  list,
  onTenant,
}: ListingParts): Pick<VectorIndex, 'existing' | 'vectorsOf' | 'list' | 'listed' | 'matches' | 'removeObjects'> {
  const ifThere = async <Result>(work: () => Promise<Result>, otherwise: Result): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof NotThere) return otherwise;
      throw error;
    }
  };
  /** Returns the existing ones of these objects, unordered. */
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
    existing: async (tenantId, model, objectIds) =>
      new Set((await byIds(tenantId, model, objectIds, IDS_ALONE)).map(({ uuid }) => uuid)),
    vectorsOf: async (tenantId, model, objectIds) =>
      new Map(
        (await byIds(tenantId, model, objectIds, { ...IDS_ALONE, includeVector: [VECTOR_NAME] })).flatMap(
          ({ uuid, vectors }) => (vectors.content === undefined ? [] : [[uuid, vectors.content]]),
        ),
      ),
    matches: matchesChunk,
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
