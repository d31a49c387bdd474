import type { Collection } from 'weaviate-client';
import type { TenantId } from '../../domain/ids.ts';
import { VectorIndexUnavailable } from '../../domain/ports/vector-index.ts';
import type { IndexHit, RecallFilter, VectorIndex } from '../../domain/ports/vector-index.ts';
import { chunkBatches, chunkObject } from './chunk-objects.ts';
import { exportObjects, objectBatches, sendBatch } from './load-objects.ts';
import type { Refusal } from './load-objects.ts';
import { createConnection, NotThere, reportsMissing } from './connection.ts';
import type { WeaviateConnectionOptions } from './connection.ts';
import {
  firstQueryText,
  isFirstVersion,
  collectionConfig,
  collectionName,
  VECTOR_NAME,
  countQueued,
  dropCollections,
} from './schema.ts';
import type { ChunkProperties, ChunkVectors, Quantization } from './schema.ts';
import { conditionsOf } from './filters.ts';
import { decodeFound, encodeSearch } from './messages.ts';
import type { SearchMessage } from './messages.ts';
import { queryText } from './searchable-text.ts';
import { createListing } from './listing.ts';
import { listObjects } from './list-objects.ts';

export interface WeaviateIndexOptions extends Omit<WeaviateConnectionOptions, 'timeoutsSeconds'> {
  /** Begins the name of every collection. Tests take one of their own. */
  readonly collectionPrefix?: string;
  readonly timeoutsSeconds?: WeaviateConnectionOptions['timeoutsSeconds'];
  /** Quantisation of created collections. Absent: none. */
  readonly quantization?: Quantization;
}

const DEFAULT_TIMEOUTS_SECONDS = { connect: 2, query: 10, insert: 60 };
/** Memories whose chunks one deletion removes. */
const MAX_REMOVED_MEMORIES = 200;

type Chunks = Collection<ChunkProperties, string, ChunkVectors>;

/** Returns the vector index in Weaviate. Connects at the first call, so that it can be created while the server is unavailable. */
export function createWeaviateIndex(options: WeaviateIndexOptions): VectorIndex {
  const { collectionPrefix = 'RecollectChunk', timeoutsSeconds = DEFAULT_TIMEOUTS_SECONDS } = options;
  const connection = createConnection({ ...options, timeoutsSeconds });
  /** Tenants known on the current connection; a server that was wiped meanwhile reports NotThere. */
  let known = { generation: -1, tenants: new Set<string>() };

  const knownTenants = (): Set<string> => {
    const generation = connection.generation();
    if (known.generation !== generation) known = { generation, tenants: new Set() };
    return known.tenants;
  };

  const onTenant = async <Result>(
    tenantId: TenantId,
    model: string,
    work: (chunks: Chunks) => Promise<Result>,
  ): Promise<Result> =>
    connection.run(async (client) => {
      const name = collectionName(collectionPrefix, model);
      return work(client.collections.use<string, ChunkProperties, ChunkVectors>(name).withTenant(tenantId));
    });

  const ensureCollection: VectorIndex['ensureCollection'] = async (model, dimension) =>
    connection.run(async (client) => {
      const name = collectionName(collectionPrefix, model);
      if (await client.collections.exists(name)) return;
      try {
        await client.collections.create(collectionConfig(name, model, dimension, options.quantization ?? 'none'));
      } catch (error) {
        // Another process may have been first.
        if (!(await client.collections.exists(name))) throw error;
      }
    });

  const ensureTenant = async (tenantId: TenantId, model: string): Promise<void> => {
    const key = `${model} ${tenantId}`;
    if (knownTenants().has(key)) return;
    await connection.run(async (client) => {
      const { tenants } = client.collections.use(collectionName(collectionPrefix, model));
      if ((await tenants.getByName(tenantId)) !== null) return;
      try {
        await tenants.create({ name: tenantId });
      } catch (error) {
        if ((await tenants.getByName(tenantId)) === null) throw error;
      }
    });
    knownTenants().add(key);
  };

  /** Sends one batch; creates what the server misses and tries once more. */
  const insert = async (
    tenantId: TenantId,
    model: string,
    dimension: number,
    send: (collection: string) => Promise<Refusal[]>,
    signal: AbortSignal | undefined,
  ): Promise<Refusal[]> => {
    const attempt = async (): Promise<Refusal[]> => {
      await ensureTenant(tenantId, model);
      const refused = await send(collectionName(collectionPrefix, model));
      // Without its tenant every object is refused, one by one.
      const missing = refused.find(({ message }) => reportsMissing(message));
      if (missing !== undefined) throw new NotThere(missing.message);
      return refused;
    };
    try {
      return await attempt();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof NotThere)) throw error;
      known.tenants.clear();
      await ensureCollection(model, dimension);
      return attempt();
    }
  };

  /** Runs a search; a tenant or a collection that does not exist has nothing to find. */
  const find = async (
    tenantId: TenantId,
    model: string,
    by: SearchMessage['by'],
    filter: RecallFilter,
    limit: number,
  ): Promise<readonly IndexHit[]> => {
    if (filter.types?.length === 0) return [];
    const request = encodeSearch({
      collection: collectionName(collectionPrefix, model),
      tenant: tenantId,
      limit,
      conditions: conditionsOf(filter),
      by,
    });
    try {
      const found = decodeFound(await connection.search(request));
      return found.map(({ objectId, score, distance }) => ({
        objectId,
        score: by.kind === 'keyword' ? score : 1 - distance,
      }));
    } catch (error) {
      if (error instanceof NotThere) return [];
      throw error;
    }
  };

  const listing = createListing({
    list: (tenantId, model, after, limit, signal) =>
      connection.run(async () =>
        listObjects(
          { url: options.url, apiKey: options.apiKey, timeoutSeconds: timeoutsSeconds.insert },
          collectionName(collectionPrefix, model),
          { tenantId, after, limit, signal },
        ),
      ),
    onTenant,
  });

  const removeBatch = async (tenantId: TenantId, model: string, memoryIds: readonly string[]): Promise<void> => {
    for (;;) {
      // The server deletes a bounded number a call.
      const { matches, successful } = await onTenant(tenantId, model, async (chunks) =>
        chunks.data.deleteMany(chunks.filter.byProperty('memory_id').containsAny([...memoryIds])),
      );
      if (matches === 0) return;
      if (successful === 0) throw new VectorIndexUnavailable(`Weaviate removed none of ${matches} chunks`);
    }
  };

  return {
    ensureCollection,
    async upsert(tenantId, model, chunks, signal) {
      const refused: Refusal[] = [];
      for (const batch of chunkBatches(chunks)) {
        signal?.throwIfAborted();
        const objects = batch.map((chunk) => chunkObject(model, chunk));
        const send = (collection: string) =>
          sendBatch((request) => connection.insert(request), collection, tenantId, objects);
        refused.push(...(await insert(tenantId, model, batch[0]?.vector.length ?? 0, send, signal)));
      }
      return refused;
    },
    async load(tenantId, model, dimension, objects, signal) {
      const refused: Refusal[] = [];
      for (const batch of objectBatches(objects)) {
        signal?.throwIfAborted();
        const send = (collection: string) =>
          sendBatch((request) => connection.insert(request), collection, tenantId, batch);
        refused.push(...(await insert(tenantId, model, dimension, send, signal)));
      }
      return refused;
    },
    ...listing,
    async remove(tenantId, model, memoryIds) {
      try {
        for (let from = 0; from < memoryIds.length; from += MAX_REMOVED_MEMORIES) {
          await removeBatch(tenantId, model, memoryIds.slice(from, from + MAX_REMOVED_MEMORIES));
        }
      } catch (error) {
        if (!(error instanceof NotThere)) throw error;
      }
    },
    async drop(tenantId, model) {
      await connection.run(async (client) => {
        const name = collectionName(collectionPrefix, model);
        if (!(await client.collections.exists(name))) return;
        await client.collections.use(name).tenants.remove([{ name: tenantId }]);
      });
      knownTenants().delete(`${model} ${tenantId}`);
    },
    async queued(tenantId, model) {
      const collection = collectionName(collectionPrefix, model);
      try {
        return await connection.run(async (client) => countQueued(client, collection, tenantId));
      } catch (error) {
        if (error instanceof NotThere) return 0;
        throw error;
      }
    },
    async dropAll() {
      await connection.run(async (client) => dropCollections(client, collectionPrefix));
      knownTenants().clear();
    },
    async keyword(tenantId, model, query, filter, limit) {
      const isFirst = isFirstVersion(model);
      const words = isFirst ? firstQueryText(query) : queryText(query);
      if (words.trim() === '') return [];
      const properties = isFirst ? ['title^2', 'text'] : ['text'];
      return find(tenantId, model, { kind: 'keyword', words, properties }, filter, limit);
    },
    nearest: (tenantId, model, vector, filter, limit) =>
      find(tenantId, model, { kind: 'nearest', vector, vectorName: VECTOR_NAME }, filter, limit),
    export: (tenantId, model, signal) =>
      exportObjects(connection, { collection: collectionName(collectionPrefix, model), tenant: tenantId }, signal),
    ping: async () => connection.ping(),
    close: async () => connection.close(),
  };
}
