import { configure, vectors } from 'weaviate-client';
import type { CollectionConfigCreate, WeaviateClient } from 'weaviate-client';
import { versionOfIndex } from '../../domain/index-model.ts';

/** Scripts that are written without spaces between words. */
const UNSPACED_RUN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー]+/gu;
/** An identifier with an inner capital. */
const CAMEL_WORD = /\b(?=[A-Za-z0-9]*[a-z])[A-Za-z][a-z0-9]*[A-Z][A-Za-z0-9]*\b/gu;
const CAMEL_PARTS = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+/gu;

/**
 * Returns true for an index of the first version, which is served until its successor is built. The server splits its texts into unstemmed words, and
 * titles have their own property: without this form of objects and queries, its keyword search would find little meanwhile.
 */
export function isFirstVersion(index: string): boolean {
  return versionOfIndex(index) === 1;
}

function pairs(run: string): string {
  const characters = Array.from(run);
  if (characters.length < 3) return ` ${run} `;
  const overlapping = characters.slice(1).map((character, at) => `${characters[at] ?? ''}${character}`);
  return ` ${overlapping.join(' ')} `;
}

/** Text as an index of the first version gets it. */
export function firstIndexedText(text: string): string {
  return text
    .replace(UNSPACED_RUN, pairs)
    .replace(CAMEL_WORD, (word) => `${word} ${(word.match(CAMEL_PARTS) ?? []).join(' ')}`);
}

/** Returns a query in the form of an index of the first version. */
export function firstQueryText(query: string): string {
  return query.replace(UNSPACED_RUN, pairs);
}

/** Vectors of a tenant that wait in the server's queue to be indexed. */
export async function countQueued(client: WeaviateClient, collection: string, tenantId: string): Promise<number> {
  const nodes = await client.cluster.nodes({ collection, output: 'verbose' });
  return nodes
    .flatMap((node) => node.shards ?? [])
    .filter((shard) => shard.name === tenantId)
    .reduce((sum, shard) => sum + shard.vectorQueueLength, 0);
}

/** Drops every collection of a prefix. */
export async function dropCollections(client: WeaviateClient, prefix: string): Promise<void> {
  for (const { name } of await client.collections.listAll())
    if (name.startsWith(`${prefix}_`)) await client.collections.delete(name);
}

/** An object of the collection, in the client's types. */
export type ChunkProperties = {
  memory_id: string;
  memory_type: string;
  chunk: number;
  /** In an index of the first version alone. */
  title?: string;
  /** Title, purpose and text as terms; nothing reads it back. */
  text: string;
  project_id?: string;
  session_id?: string;
  namespace: string;
  owner_id: string;
  kind?: string;
  tool?: string;
  tags: string[];
  occurred_at: Date;
};

/** The one vector of an object. */
export const VECTOR_NAME = 'content';
/** Number of candidate nodes of a graph search: twice the limit. The server's default, eight times, costs three times the processor time here. */
const LIST_LENGTH = { dynamicEfFactor: 2, dynamicEfMin: 100, dynamicEfMax: 300 };
export type ChunkVectors = Record<typeof VECTOR_NAME, number[]>;

/**
 * Value of `owner_id` that means "all users of the tenant", so that one look-up in one inverted index decides who sees an object. Filtering by
 * absence instead needs `indexNullState`, which adds an index to every property of every tenant.
 */
export const EVERYONE = '*';

/** Collection of one embedding model: `bge-small-en-v1.5-q` → `RecollectChunk_BgeSmallEnV15Q`. */
export function collectionName(prefix: string, model: string): string {
  const words = model.replaceAll('.', '').split(/[^A-Za-z0-9]+/u);
  return `${prefix}_${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}`;
}

const filterable = { tokenization: 'field', indexFilterable: true, indexSearchable: false } as const;
// Recollect separates the terms by spaces; the server's tokenisers would split them again.
const searchable = { tokenization: 'whitespace', indexFilterable: false, indexSearchable: true } as const;
const searchableWords = { ...searchable, tokenization: 'word' } as const;
const stored = { indexFilterable: false } as const;

/** `none`: unchanged; `rq`: rotated and quantised to 8 bits per number, and results are rescored exactly. */
export type Quantization = 'none' | 'rq';
const { quantizer } = configure.vectorIndex;
const QUANTIZERS = { none: () => quantizer.none(), rq: () => quantizer.rq({ bits: 8 }) } as const;

/**
 * Returns the complete schema, without defaults of the server.
 *
 * HNSW and not flat: a flat index reads every vector of the tenant for each query (10 ms at 10,000 chunks, growing with them), HNSW
 * stays at a few ms, searches exactly below 40,000 matches of a filter, and costs 3 KB of memory a chunk. Vectors are indexed from
 * a queue on disk (`ASYNC_INDEXING` of the server), so that a search by vector finds a chunk a moment after it was written. HNSW requires that a backup
 * starts more than a second after the last tenant was created. Quantised only if the settings require
 * it: 384 floats are small and exact; a million vectors of 3,072 take 12 GB, a quarter of that at 8 bits.
 */
export function collectionConfig(
  name: string,
  model: string,
  dimension: number,
  quantization: Quantization,
): CollectionConfigCreate<ChunkProperties, string, ChunkVectors> {
  const isFirst = isFirstVersion(model);
  return {
    name,
    description: `Chunks of memories with vectors of ${model}, ${dimension} dimensions`,
    multiTenancy: configure.multiTenancy({ enabled: true, autoTenantCreation: false, autoTenantActivation: true }),
    invertedIndex: configure.invertedIndex({
      bm25k1: 1.2,
      bm25b: 0.75,
      stopwordsPreset: isFirst ? 'en' : 'none',
      indexNullState: false,
      indexPropertyLength: false,
      indexTimestamps: false,
    }),
    vectorizers: vectors.selfProvided({
      name: VECTOR_NAME,
      quantizer: QUANTIZERS[quantization](),
      vectorIndexConfig: configure.vectorIndex.hnsw({ distanceMetric: 'cosine', ...LIST_LENGTH }),
    }),
    properties: [
      { name: 'memory_id', dataType: 'text', ...filterable },
      { name: 'memory_type', dataType: 'text', ...filterable },
      { name: 'chunk', dataType: 'int', ...stored },
      ...(isFirst ? [{ name: 'title' as const, dataType: 'text' as const, ...searchableWords }] : []),
      { name: 'text', dataType: 'text', ...(isFirst ? searchableWords : searchable) },
      { name: 'project_id', dataType: 'text', ...filterable },
      { name: 'session_id', dataType: 'text', ...filterable },
      { name: 'namespace', dataType: 'text', ...filterable },
      { name: 'owner_id', dataType: 'text', ...filterable },
      { name: 'kind', dataType: 'text', ...filterable },
      { name: 'tool', dataType: 'text', ...filterable },
      { name: 'tags', dataType: 'text[]', ...filterable },
      { name: 'occurred_at', dataType: 'date', indexFilterable: false, indexRangeFilters: true },
    ],
  };
}
