import { chunkText } from '../../domain/chunking.ts';
import { isPrivate } from '../../domain/memory.ts';
import type { Memory } from '../../domain/memory.ts';
import type { IndexChunk } from '../../domain/ports/vector-index.ts';
import { indexedChunkText } from '../../domain/ranking/indexed-text.ts';
import type { TenantRead } from '../../stores/postgres/connection/database.ts';
import type { PendingEmbedding } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import { readMemories } from '../../stores/postgres/memories/memories.ts';
import { readPurposes } from '../../stores/postgres/memories/memory-purposes.ts';

/** A chunk that waits, with the memory that it is part of and its text as it is now. */
export interface PlacedChunk {
  readonly pending: PendingEmbedding;
  readonly memory: Memory;
  /** What the user had asked when this was said or done; '' where nothing. */
  readonly purpose: string;
  readonly text: string;
  /** As the ledger has it. */
  readonly contentHash: Buffer;
}

/**
 * What the model reads of a chunk: its memory's title, and what had been asked, say what a bare output is about. Another composition needs another
 * `INDEX_VERSION`.
 */
export function embeddedText({ memory, purpose, text }: PlacedChunk): string {
  return indexedChunkText({ title: memory.title, purpose, text });
}

/** The chunk as the vector index holds it. */
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
    ownerId: isPrivate(memory.type) ? memory.userId : null,
    kind: memory.kind,
    tool: memory.tool,
    tags: memory.tags,
    occurredAt: memory.occurredAt,
    vector,
  };
}

/** Chunks with their texts, and the ids of memories that stand no longer: forgotten, or summed up anew. */
export async function placeChunks(
  read: TenantRead,
  pending: readonly PendingEmbedding[],
): Promise<{ readonly placed: readonly PlacedChunk[]; readonly missingIds: ReadonlySet<string> }> {
  const refs = [
    ...new Map(pending.map((chunk) => [chunk.memoryId, { type: chunk.type, id: chunk.memoryId }])).values(),
  ];
  const memories = await readMemories(read, refs, undefined, undefined, 'shown');
  const purposes = await readPurposes(read, refs);
  const byId = new Map(memories.map((memory) => [memory.id, memory]));
  const chunksOf = new Map(memories.map((memory) => [memory.id, chunkText(memory.title, memory.content)]));
  const placed = pending.flatMap((chunk) => {
    const memory = byId.get(chunk.memoryId);
    const part = chunksOf.get(chunk.memoryId)?.[chunk.chunk];
    if (memory === undefined || part === undefined) return [];
    const { text, contentHash } = part;
    return [{ pending: chunk, memory, purpose: purposes.get(memory.id) ?? '', text, contentHash }];
  });
  return { placed, missingIds: new Set(pending.map((chunk) => chunk.memoryId).filter((id) => !byId.has(id))) };
}
