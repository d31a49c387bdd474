import type { ExportedObject, IndexChunk } from '../../domain/ports/vector-index.ts';
import { indexedChunkText } from '../../domain/ranking/indexed-text.ts';
import { firstIndexedText, isFirstVersion, EVERYONE } from './schema.ts';
import { indexedText } from './searchable-text.ts';

/** Returns a chunk in the form of that index, times as RFC 3339. Null values are omitted, except for the owner. */
export function chunkObject(index: string, chunk: IndexChunk): ExportedObject {
  return {
    objectId: chunk.objectId,
    properties: {
      memory_id: chunk.memoryId,
      memory_type: chunk.memoryType,
      chunk: chunk.chunk,
      ...(isFirstVersion(index)
        ? { title: firstIndexedText(chunk.title), text: firstIndexedText(chunk.text) }
        : { text: indexedText(indexedChunkText(chunk)) }),
      ...(chunk.projectId === null ? {} : { project_id: chunk.projectId }),
      ...(chunk.sessionId === null ? {} : { session_id: chunk.sessionId }),
      namespace: chunk.namespace,
      owner_id: chunk.ownerId ?? EVERYONE,
      ...(chunk.kind === null ? {} : { kind: chunk.kind }),
      ...(chunk.tool === null ? {} : { tool: chunk.tool }),
      tags: [...chunk.tags],
      occurred_at: chunk.occurredAt,
    },
    vector: chunk.vector,
  };
}

const MAX_BATCH_OBJECTS = 200;
/** Well below the server's 100 MB a message, and small enough to be retried. */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;

const sizeOf = (chunk: IndexChunk): number =>
  512 + 3 * (chunk.title.length + chunk.purpose.length + chunk.text.length) + 4 * chunk.vector.length;

/** Splits the chunks, in order, into batches limited by count and bytes; a larger chunk is a batch of its own. */
export function chunkBatches(chunks: readonly IndexChunk[]): IndexChunk[][] {
  const batches: IndexChunk[][] = [];
  let bytes = 0;
  for (const chunk of chunks) {
    const size = sizeOf(chunk);
    const batch = batches.at(-1);
    if (batch === undefined || batch.length >= MAX_BATCH_OBJECTS || bytes + size > MAX_BATCH_BYTES) {
      batches.push([chunk]);
      bytes = size;
    } else {
      batch.push(chunk);
      bytes += size;
    }
  }
  return batches;
}
