import type { TenantId } from '../ids.ts';

export const MEMORY_TYPES = ['observation', 'prompt', 'summary', 'learning'] as const;
export type MemoryType = (typeof MEMORY_TYPES)[number];

/** One chunk of one memory as the vector index holds it: text for BM25, filter fields, and a vector that we supply. */
export interface IndexChunk {
  /** `chunkObjectId`: the same chunk always lands on the same object. */
  readonly objectId: string;
  readonly memoryId: string;
  readonly memoryType: MemoryType;
  readonly chunk: number;
  readonly title: string;
  /** What the user had asked when this was said or done; '' where nothing. */
  readonly purpose: string;
  readonly text: string;
  readonly projectId: string | null;
  readonly sessionId: string | null;
  readonly namespace: string;
  /** Owner of a private memory; null for what the whole tenant may see. */
  readonly ownerId: string | null;
  readonly kind: string | null;
  readonly tool: string | null;
  readonly tags: readonly string[];
  /** RFC 3339. */
  readonly occurredAt: string;
  readonly vector: Float32Array;
}

/** Applied inside the store, before its top-k. Undefined means no restriction. */
export interface RecallFilter {
  readonly types?: readonly MemoryType[];
  readonly projectId?: string;
  /** Ids that chunks of this project may still bear, since other projects were merged into it. */
  readonly formerProjectIds?: readonly string[];
  readonly sessionId?: string;
  /** Of any session, or of none, but this one. */
  readonly excludeSessionId?: string;
  readonly namespace?: string;
  readonly kind?: string;
  readonly tool?: string;
  readonly tags?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  /** RFC 3339: nothing that happened later, and learnings as they were believed then. */
  readonly asOf?: string;
  /** Lower case: every one must stand in the text. The vector index cannot tell; PostgreSQL does. */
  readonly phrases?: readonly string[];
  /** Names, paths or ends of paths: a memory must have to do with each. The vector index cannot tell; PostgreSQL does. */
  readonly files?: readonly string[];
  /** Who asks. Private memories of others are left out; undefined: an admin, who sees all of the tenant. */
  readonly viewerId?: string;
}

/** A chunk that a store found, best first. */
export interface RecallHit {
  readonly memoryId: string;
  readonly memoryType: MemoryType;
  /** Undefined where the store does not tell it, null where there is none. */
  readonly sessionId?: string | null;
  readonly kind?: string | null;
  readonly tool?: string | null;
  readonly chunk: number;
  /** As the store counts: BM25 score, or cosine similarity (1 − distance). Only comparable within one answer. */
  readonly score: number;
}

/** An object as the index holds it, to be kept elsewhere and written back as it was. */
export interface ExportedObject {
  readonly objectId: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly vector: Float32Array;
}

/** An object as the index has it, without its vector. */
export interface ListedObject {
  readonly objectId: string;
  readonly memoryId: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface VectorIndex {
  /** Creates the collection of that model where it is missing. Idempotent. */
  ensureCollection(model: string, dimension: number): Promise<void>;
  /** Writes chunks, creating the tenant where it is missing; answers what was refused, per object, instead of throwing. @throws VectorIndexUnavailable */
  upsert(
    tenantId: TenantId,
    model: string,
    chunks: readonly IndexChunk[],
    signal?: AbortSignal,
  ): Promise<readonly { readonly objectId: string; readonly message: string }[]>;
  /**
   * Writes objects as they were exported, creating collection and tenant where they are missing; answers what was refused, as `upsert` does.
   * @throws VectorIndexUnavailable
   */
  load(
    tenantId: TenantId,
    model: string,
    dimension: number,
    objects: readonly ExportedObject[],
    signal?: AbortSignal,
  ): Promise<readonly { readonly objectId: string; readonly message: string }[]>;
  /** Which of these objects stand in the index. @throws VectorIndexUnavailable */
  standing(tenantId: TenantId, model: string, objectIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Objects with what they are found by, without vectors, in the order of their ids, after that one. A tenant with nothing indexed answers []. @throws VectorIndexUnavailable */
  list(
    tenantId: TenantId,
    model: string,
    after: string | null,
    limit: number,
    signal?: AbortSignal,
  ): Promise<readonly ListedObject[]>;
  /** The same of these objects; what is not there is left out. @throws VectorIndexUnavailable */
  listed(tenantId: TenantId, model: string, objectIds: readonly string[]): Promise<readonly ListedObject[]>;
  /** Whether an object is what would be written for this chunk, its vector aside. */
  says(model: string, chunk: IndexChunk, object: ListedObject): boolean;
  /** Removes these objects. @throws VectorIndexUnavailable */
  removeObjects(tenantId: TenantId, model: string, objectIds: readonly string[]): Promise<void>;
  /** Removes every chunk of these memories. @throws VectorIndexUnavailable */
  remove(tenantId: TenantId, model: string, memoryIds: readonly string[]): Promise<void>;
  /** Removes all that the index of that model has of a tenant, at once. @throws VectorIndexUnavailable */
  drop(tenantId: TenantId, model: string): Promise<void>;
  /** Vectors of a tenant that were written and that `nearest` does not find yet. @throws VectorIndexUnavailable */
  queued(tenantId: TenantId, model: string): Promise<number>;
  /** Removes everything that indexes of this kind hold, of all tenants: for those that were made beside the served ones. @throws VectorIndexUnavailable */
  dropAll(): Promise<void>;
  /** BM25 over title, purpose and text. A tenant with nothing indexed answers []. @throws VectorIndexUnavailable */
  keyword(
    tenantId: TenantId,
    model: string,
    query: string,
    filter: RecallFilter,
    limit: number,
  ): Promise<readonly RecallHit[]>;
  /** Nearest vectors. A tenant with nothing indexed answers []. @throws VectorIndexUnavailable */
  nearest(
    tenantId: TenantId,
    model: string,
    vector: Float32Array,
    filter: RecallFilter,
    limit: number,
  ): Promise<readonly RecallHit[]>;
  /** The vectors of these objects, by object id; what is not there is left out. @throws VectorIndexUnavailable */
  vectorsOf(
    tenantId: TenantId,
    model: string,
    objectIds: readonly string[],
  ): Promise<ReadonlyMap<string, readonly number[]>>;
  /**
   * All objects of a tenant in the index of that model, some hundreds at a time, in the order of their ids; nothing where there is no such
   * index. What is written meanwhile may be among them or not. @throws VectorIndexUnavailable
   */
  export(tenantId: TenantId, model: string, signal: AbortSignal): AsyncIterable<readonly ExportedObject[]>;
  /** Round trip in milliseconds. @throws VectorIndexUnavailable */
  ping(): Promise<number>;
  close(): Promise<void>;
}

export class VectorIndexUnavailable extends Error {
  override readonly name = 'VectorIndexUnavailable';
}
