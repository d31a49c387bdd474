import { chunkText } from '../../domain/chunking.ts';
import { isPrivate } from '../../domain/memory.ts';
import type { Memory } from '../../domain/memory.ts';
import type { IndexChunk } from '../../domain/ports/vector-index.ts';
import type { TenantRead } from '../../stores/postgres/database.ts';
import type { PendingEmbedding } from '../../stores/postgres/embedding-ledger.ts';
import { readMemories } from '../../stores/postgres/memories.ts';

/** A chunk that waits, with the memory that it is part of and its text as it is now. */
export interface PlacedChunk {
  readonly pending: PendingEmbedding;
  readonly memory: Memory;
  readonly text: string;
}

/** What the model reads of a chunk: its memory's title says what a bare output is about. Another composition needs another `INDEX_VERSION`. */
export function embeddedText(chunk: PlacedChunk): string {
  return chunk.memory.title === '' ? chunk.text : `${chunk.memory.title}\n${chunk.text}`;
}

/** The chunk as the vector index holds it. */
export function toIndexChunk({ pending, memory, text }: PlacedChunk, vector: Float32Array): IndexChunk {
  return {
    objectId: pending.objectId,
    memoryId: memory.id,
    memoryType: memory.type,
    chunk: pending.chunk,
    title: memory.title,
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
): Promise<{ readonly placed: readonly PlacedChunk[]; readonly goneIds: ReadonlySet<string> }> {
  const refs = [
    ...new Map(pending.map((chunk) => [chunk.memoryId, { type: chunk.type, id: chunk.memoryId }])).values(),
  ];
  const memories = await readMemories(read, refs);
  const byId = new Map(memories.map((memory) => [memory.id, memory]));
  const chunksOf = new Map(memories.map((memory) => [memory.id, chunkText(memory.title, memory.content)]));
  const placed = pending.flatMap((chunk) => {
    const memory = byId.get(chunk.memoryId);
    const text = chunksOf.get(chunk.memoryId)?.[chunk.chunk]?.text;
    return memory === undefined || text === undefined ? [] : [{ pending: chunk, memory, text }];
  });
  return { placed, goneIds: new Set(pending.map((chunk) => chunk.memoryId).filter((id) => !byId.has(id))) };
}
