import type { TenantId } from '../ids.ts';
import type { ValueFilters } from '../search-names.ts';

export const MEMORY_TYPES = ['observation', 'prompt', 'summary', 'learning'] as const;
export type MemoryType = (typeof MEMORY_TYPES)[number];

/** One chunk of one memory in the vector index: text for BM25, filter fields, and a vector from our embedder. */
export interface IndexChunk {
  /** `chunkObjectId`: the same chunk always has the same object. */
  readonly objectId: string;
  readonly memoryId: string;
  readonly memoryType: MemoryType;
  readonly chunk: number;
  readonly title: string;
  /** The user request that led to it; '' if none. */
  readonly purpose: string;
  readonly text: string;
  readonly projectId: string | null;
  readonly sessionId: string | null;
  readonly namespace: string;
  /** Owner of a private memory; null for memories of the tenant. */
  readonly ownerId: string | null;
  readonly kind: string | null;
  readonly tool: string | null;
  readonly tags: readonly string[];
  /** RFC 3339. */
  readonly occurredAt: string;
  readonly vector: Float32Array;
}

/** Applied inside the store, before its top-k. Undefined means no restriction. */
export interface RecallFilter extends ValueFilters {
  readonly types?: readonly MemoryType[];
  readonly projectId?: string;
  /** Ids of projects that were merged into this one, which chunks may still have. */
  readonly formerProjectIds?: readonly string[];
  readonly sessionId?: string;
  /** Any session, or none, but this one. */
  readonly excludeSessionId?: string;
  readonly namespace?: string;
  readonly tags?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  /** RFC 3339: nothing that happened later, and learnings that were current then. */
  readonly asOf?: string;
  /** Lower case: the text must contain all of them. Checked by PostgreSQL, not by the vector index. */
  readonly phrases?: readonly string[];
  /** Names, paths or ends of paths: a memory must relate to each. Checked by PostgreSQL, not by the vector index. */
  readonly files?: readonly string[];
  /** The searching user. Excludes private memories of others; undefined: an admin, who sees the complete tenant. */
  readonly viewerId?: string;
  /** Private memories of this owner; null: those of the tenant. Checked by the vector index only, when learnings are compared. */
  readonly ownerId?: string | null;
}

/** A found object of the index. PostgreSQL knows its memory: properties would be half of a search's cost in the index. */
export interface IndexHit {
  /** `chunkObjectId` */
  readonly objectId: string;
  /** The index's score: BM25, or cosine similarity (1 − distance). Only comparable within one response. */
  readonly score: number;
}

/** A found chunk of a memory, best first. */
export interface RecallHit {
  readonly memoryId: string;
  readonly memoryType: MemoryType;
  /** Undefined if the store does not return it, null if there is none. */
  readonly sessionId?: string | null;
  readonly kind?: string | null;
  readonly tool?: string | null;
  /** The store's score, only comparable within one response. */
  readonly score: number;
}

/** An object of the index for a backup, restored unchanged. */
export interface ExportedObject {
  readonly objectId: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly vector: Float32Array;
}

/** An object of the index, without its vector. */
export interface ListedObject {
  readonly objectId: string;
  readonly memoryId: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/**
 * Hits of the widest search. The search is approximate and follows more paths for more hits: whether a vector is found is decided by searching as
 * widely, because a search for few hits misses sound ones.
 */
export const MOST_HITS = 150;

export interface VectorIndex {
  /** Creates the model's collection if missing. Idempotent. */
  ensureCollection(model: string, dimension: number): Promise<void>;
  /** Writes chunks and creates the tenant if missing; returns rejected objects instead of throwing. @throws VectorIndexUnavailable */
  upsert(
    tenantId: TenantId,
    model: string,
    chunks: readonly IndexChunk[],
    signal?: AbortSignal,
  ): Promise<readonly { readonly objectId: string; readonly message: string }[]>;
  /**
   * Writes exported objects and creates collection and tenant if missing; returns rejected objects, as `upsert` does.
   * @throws VectorIndexUnavailable
   */
  load(
    tenantId: TenantId,
    model: string,
    dimension: number,
    objects: readonly ExportedObject[],
    signal?: AbortSignal,
  ): Promise<readonly { readonly objectId: string; readonly message: string }[]>;
  /** Returns which of these objects the index has. @throws VectorIndexUnavailable */
  existing(tenantId: TenantId, model: string, objectIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Lists objects without vectors by id, after the given one; [] for a tenant without an index. @throws VectorIndexUnavailable */
  list(
    tenantId: TenantId,
    model: string,
    after: string | null,
    limit: number,
    signal?: AbortSignal,
  ): Promise<readonly ListedObject[]>;
  /** The same for these objects; missing ones are absent. @throws VectorIndexUnavailable */
  listed(tenantId: TenantId, model: string, objectIds: readonly string[]): Promise<readonly ListedObject[]>;
  /** Returns true if the object equals the one that this chunk would write, except for its vector. */
  matches(model: string, chunk: IndexChunk, object: ListedObject): boolean;
  /** Deletes these objects. @throws VectorIndexUnavailable */
  removeObjects(tenantId: TenantId, model: string, objectIds: readonly string[]): Promise<void>;
  /** Deletes every chunk of these memories. @throws VectorIndexUnavailable */
  remove(tenantId: TenantId, model: string, memoryIds: readonly string[]): Promise<void>;
  /** Deletes a tenant's complete index of that model. @throws VectorIndexUnavailable */
  drop(tenantId: TenantId, model: string): Promise<void>;
  /** Returns the number of written vectors that `nearest` does not find yet. @throws VectorIndexUnavailable */
  queued(tenantId: TenantId, model: string): Promise<number>;
  /** Deletes the indexes of all tenants: for indexes built beside the served ones. @throws VectorIndexUnavailable */
  dropAll(): Promise<void>;
  /** BM25 over title, purpose and text; [] for a tenant without an index. @throws VectorIndexUnavailable */
  keyword(
    tenantId: TenantId,
    model: string,
    query: string,
    filter: RecallFilter,
    limit: number,
  ): Promise<readonly IndexHit[]>;
  /** Nearest vectors; [] for a tenant without an index. @throws VectorIndexUnavailable */
  nearest(
    tenantId: TenantId,
    model: string,
    vector: Float32Array,
    filter: RecallFilter,
    limit: number,
  ): Promise<readonly IndexHit[]>;
  /** Returns vectors by object id; missing ones are absent. @throws VectorIndexUnavailable */
  vectorsOf(
    tenantId: TenantId,
    model: string,
    objectIds: readonly string[],
  ): Promise<ReadonlyMap<string, readonly number[]>>;
  /**
   * Streams a tenant's objects in the model's index, some hundreds at a time, ordered by id; nothing without an index. Concurrent writes
   * may or may not be included. @throws VectorIndexUnavailable
   */
  export(tenantId: TenantId, model: string, signal: AbortSignal): AsyncIterable<readonly ExportedObject[]>;
  /** Round trip in milliseconds. @throws VectorIndexUnavailable */
  ping(): Promise<number>;
  close(): Promise<void>;
}

export class VectorIndexUnavailable extends Error {
  override readonly name = 'VectorIndexUnavailable';
}
