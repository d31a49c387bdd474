import { chunkText } from '../../domain/chunking.ts';
import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import { isPrivate } from '../../domain/memory.ts';
import type { Memory } from '../../domain/memory.ts';
import type { Embedder } from '../../domain/ports/embedder.ts';
import { VectorIndexUnavailable } from '../../domain/ports/vector-index.ts';
import type { IndexChunk, VectorIndex } from '../../domain/ports/vector-index.ts';
import type { Database } from '../../stores/postgres/database.ts';
import { pendingEmbeddings, sessionsWithoutPending, settleEmbeddings } from '../../stores/postgres/embedding-ledger.ts';
import type { PendingEmbedding } from '../../stores/postgres/embedding-ledger.ts';
import {
  overtakenEmbeddings,
  removableEmbeddings,
  strikeRemoved,
  wantRemoval,
} from '../../stores/postgres/embedding-removal.ts';
import type { RemovableEmbedding } from '../../stores/postgres/embedding-removal.ts';
import { readMemories } from '../../stores/postgres/memories.ts';
import type { IndexActivities } from '../../workflows/indexing/types.ts';
import { beating } from '../heartbeat.ts';

export interface IndexDependencies {
  readonly database: Database;
  readonly embedder: Embedder;
  readonly vectors: VectorIndex;
  /** Whether captures come in a flood, which goes first. */
  readonly isFlooding: () => Promise<boolean>;
}

/** Chunks of one batch: a second or two of the local model, so that a kill costs little and heartbeats stay rare. */
const BATCH_CHUNKS = 96;
/** Of them between two looks for a flood. */
const STEP_CHUNKS = 24;
/** Chunks whose removal is one call or two. */
const REMOVED_CHUNKS = 500;

/** A chunk that waits, with the memory that it is part of and its text as it is now. */
interface PlacedChunk {
  readonly pending: PendingEmbedding;
  readonly memory: Memory;
  readonly text: string;
}

/** What the model reads of a chunk: its memory's title says what a bare output is about. */
function embeddedText(chunk: PlacedChunk): string {
  return chunk.memory.title === '' ? chunk.text : `${chunk.memory.title}\n${chunk.text}`;
}

function toIndexChunk({ pending, memory, text }: PlacedChunk, vector: Float32Array): IndexChunk {
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

/** Embedding of what waits in the ledger. Idempotent: a chunk's object id is derived, so that writing it twice leaves one. */
export function createIndexActivities({ database, embedder, vectors, isFlooding }: IndexDependencies): IndexActivities {
  /** Vectors of the first chunks, in order: of all, or in a flood of those that were begun. */
  const embedFirst = async (chunks: readonly PlacedChunk[], signal: AbortSignal): Promise<Float32Array[]> => {
    const embeddings: Float32Array[] = [];
    while (embeddings.length < chunks.length) {
      if (embeddings.length > 0 && (await isFlooding())) break;
      const step = chunks.slice(embeddings.length, embeddings.length + STEP_CHUNKS);
      embeddings.push(...(await embedder.embed(step.map(embeddedText), 'passage', signal)));
    }
    return embeddings;
  };

  /** Chunks with their texts, and the ids of memories that stand no longer: forgotten, or summed up anew. */
  const place = async (
    tenantId: TenantId,
    pending: readonly PendingEmbedding[],
  ): Promise<{ readonly placed: readonly PlacedChunk[]; readonly goneIds: ReadonlySet<string> }> => {
    const refs = pending.map((chunk) => ({ type: chunk.type, id: chunk.memoryId }));
    const memories = await database.readAsTenant(tenantId, (read) => readMemories(read, refs));
    const byId = new Map(memories.map((memory) => [memory.id, memory]));
    const chunksOf = new Map(memories.map((memory) => [memory.id, chunkText(memory.title, memory.content)]));
    const placed = pending.flatMap((chunk) => {
      const memory = byId.get(chunk.memoryId);
      const text = chunksOf.get(chunk.memoryId)?.[chunk.chunk]?.text;
      return memory === undefined || text === undefined ? [] : [{ pending: chunk, memory, text }];
    });
    return { placed, goneIds: new Set(pending.map((chunk) => chunk.memoryId).filter((id) => !byId.has(id))) };
  };

  /** Removes what was forgotten: first from the index, then from the ledger, so that a kill in between costs a second removal only. */
  const remove = async (tenantId: TenantId, removable: readonly RemovableEmbedding[]): Promise<void> => {
    for (const model of new Set(removable.map((chunk) => chunk.model))) {
      const memoryIds = removable.filter((chunk) => chunk.model === model).map((chunk) => chunk.memoryId);
      await vectors.remove(tenantId, model, [...new Set(memoryIds)]);
    }
    const ids = removable.map((chunk) => chunk.id);
    await database.asTenant(tenantId, (transaction) => strikeRemoved(transaction, ids));
  };

  return {
    embedBatch: (input) =>
      beating(async (signal) => {
        const tenantId = asId<TenantId>(input.tenantId);
        const { removable, pending } = await database.asTenant(tenantId, async (transaction) => ({
          removable: await removableEmbeddings(transaction, REMOVED_CHUNKS),
          pending: await pendingEmbeddings(transaction, embedder.model, BATCH_CHUNKS + 1),
        }));
        // Before anything is embedded: the model may be away, and what was forgotten must not wait for it.
        if (removable.length > 0) await remove(tenantId, removable);
        const moreRemovable = removable.length === REMOVED_CHUNKS;
        const begun = pending.slice(0, BATCH_CHUNKS);
        if (begun.length === 0) return { indexed: 0, refused: 0, more: moreRemovable, completeSessionIds: [] };
        const { placed, goneIds } = await place(tenantId, begun);
        const embeddings = await embedFirst(placed, signal);
        const left = new Set(placed.slice(embeddings.length).map((chunk) => chunk.pending.id));
        const batch = begun.filter((chunk) => !left.has(chunk.id));
        await vectors.ensureCollection(embedder.model, embedder.dimension);
        const chunks = placed.flatMap((chunk, position) => {
          const vector = embeddings[position];
          return vector === undefined ? [] : [toIndexChunk(chunk, vector)];
        });
        const refusals = new Map(
          (await vectors.upsert(tenantId, embedder.model, chunks, signal)).map((refusal) => [
            refusal.objectId,
            refusal.message,
          ]),
        );
        // An index that refuses everything is full or read-only: that is no fault of the chunks, and not counted against them.
        if (refusals.size > 0 && refusals.size === chunks.length)
          throw new VectorIndexUnavailable('the vector index refuses every write');
        const refused = batch.flatMap((chunk) => {
          const message = refusals.get(chunk.objectId);
          return message === undefined ? [] : [{ id: chunk.id, message }];
        });
        const indexed = batch
          .filter((chunk) => !refusals.has(chunk.objectId) && !goneIds.has(chunk.memoryId))
          .map((chunk) => chunk.id);
        const sessionIds = [...new Set(batch.flatMap((chunk) => (chunk.sessionId === null ? [] : [chunk.sessionId])))];
        const { overtaken, completeSessionIds } = await database.asTenant(tenantId, async (transaction) => {
          await settleEmbeddings(transaction, indexed, refused);
          // Nothing is written of a memory that is gone, and what was written of it before leaves the index.
          await wantRemoval(transaction, [...goneIds]);
          return {
            overtaken: await overtakenEmbeddings(transaction, indexed),
            completeSessionIds: await sessionsWithoutPending(transaction, sessionIds),
          };
        });
        // Forgotten while it was embedded: what was just written goes again.
        if (overtaken.size > 0)
          await vectors.remove(
            tenantId,
            embedder.model,
            batch.filter((chunk) => overtaken.has(chunk.id)).map((chunk) => chunk.memoryId),
          );
        return {
          indexed: indexed.length,
          refused: refused.length,
          more:
            moreRemovable ||
            pending.length > batch.length ||
            refused.length > 0 ||
            overtaken.size > 0 ||
            goneIds.size > 0,
          completeSessionIds,
        };
      }),
  };
}
