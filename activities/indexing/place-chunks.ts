import { chunkText } from '../../domain/chunking.ts';
import type { DataClass } from '../../domain/data-classes.ts';
import type { Memory } from '../../domain/memory.ts';
import type { Embedder } from '../../domain/ports/embedder.ts';
import type { IndexChunk } from '../../domain/ports/vector-index.ts';
import { indexedChunkText } from '../../domain/ranking/indexed-text.ts';
import type { TenantRead } from '../../stores/postgres/connection/database.ts';
import type { PendingEmbedding } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import { readMemories } from '../../stores/postgres/memories/memories.ts';
import { readRequests } from '../../stores/postgres/memories/memory-lookups.ts';

/** A pending chunk with its memory and current text. */
export interface PlacedChunk {
  readonly pending: PendingEmbedding;
  readonly memory: Memory;
  /** The user's request that it belongs to; '' if none. */
  readonly purpose: string;
  /** Of the row of that request; null if none. */
  readonly purposeClass: DataClass | null;
  readonly text: string;
  /** From the ledger. */
  readonly contentHash: Buffer;
}

/**
 * Returns the text that is embedded: title and request give a bare output its context. A request that the embedder must not read is left out. Another
 * composition needs another `INDEX_VERSION`.
 */
export function embeddedText(
  { memory, purpose, purposeClass, text }: PlacedChunk,
  withholds: Embedder['withholds'],
): string {
  const isLeftOut = withholds?.(purpose, purposeClass) === true;
  return indexedChunkText({ title: memory.title, purpose: isLeftOut ? '' : purpose, text });
}

/** Converts a chunk to its object in the vector index. */
export function toIndexChunk({ pending, memory, purpose, text }: PlacedChunk, vector: Float32Array): IndexChunk {
  return {
    objectId: pending.objectId,
    memoryId: memory.id,
    memoryType: memory.type,
    chunk: pending.chunk,
    title: memory.title,
    purpose,
    text,
    projectId: memory.projectId,
    sessionId: memory.session?.id ?? null,
    namespace: memory.namespace,
    ownerId: memory.isPrivate ? memory.userId : null,
    kind: memory.kind,
    tool: memory.tool,
    tags: memory.tags,
    occurredAt: memory.occurredAt,
    vector,
  };
}

/** Reads the texts of chunks, and the ids of memories that no longer exist: forgotten, or summarised again. */
export async function placeChunks(
  read: TenantRead,
  pending: readonly PendingEmbedding[],
): Promise<{ readonly placed: readonly PlacedChunk[]; readonly missingIds: ReadonlySet<string> }> {
  const refs = [
    ...new Map(pending.map((chunk) => [chunk.memoryId, { type: chunk.type, id: chunk.memoryId }])).values(),
  ];
  const memories = await readMemories(read, refs, undefined, undefined, 'shown');
  const requests = await readRequests(read, refs);
  const byId = new Map(memories.map((memory) => [memory.id, memory]));
  const chunksOf = new Map(memories.map((memory) => [memory.id, chunkText(memory.title, memory.content)]));
  const placed = pending.flatMap((chunk) => {
    const memory = byId.get(chunk.memoryId);
    const part = chunksOf.get(chunk.memoryId)?.[chunk.chunk];
    if (memory === undefined || part === undefined) return [];
    const { text, contentHash } = part;
    const { purpose = '', dataClass: purposeClass = null } = requests.get(memory.id) ?? {};
    return [{ pending: chunk, memory, purpose, purposeClass, text, contentHash }];
  });
  return { placed, missingIds: new Set(pending.map((chunk) => chunk.memoryId).filter((id) => !byId.has(id))) };
}
