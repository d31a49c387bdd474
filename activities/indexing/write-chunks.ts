import type { TenantId } from '../../domain/ids.ts';
import { modelOfIndex } from '../../domain/index-model.ts';
import type { IndexModel } from '../../domain/index-model.ts';
import type { EmbeddingUsage } from '../../domain/ports/embedder.ts';
import { VectorIndexUnavailable } from '../../domain/ports/vector-index.ts';
import type { IndexChunk, VectorIndex } from '../../domain/ports/vector-index.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import { countEmbedding, noteIndexed, storeVectors } from '../../stores/postgres/embeddings/embedding-cache.ts';
import type { EmbeddingWork } from '../../stores/postgres/embeddings/embedding-cache.ts';
import { settleEmbeddings } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import { supersededEmbeddings } from '../../stores/postgres/embeddings/embedding-removal.ts';
import { bookEmbedding } from '../../stores/postgres/usage/usage-ledger.ts';

/** A chunk with its vector and ledger row. */
export interface VectoredChunk {
  readonly embeddingId: string;
  /** Revision of the chunk when its text was read. */
  readonly revision: number;
  /** SHA-256 of the embedded text, hex. */
  readonly hash: string;
  readonly chunk: IndexChunk;
}

export interface WrittenChunks {
  readonly indexed: number;
  readonly refused: number;
  /** Chunks forgotten meanwhile, which are removed again, or changed, which are pending again. */
  readonly overtaken: number;
}

/** Work done before the write. */
export interface WorkBefore extends EmbeddingWork {
  readonly usage: readonly EmbeddingUsage[];
}

export interface WriteDependencies {
  readonly database: Database;
  readonly vectors: VectorIndex;
  /** False: vectors are not cached. */
  readonly caches: boolean;
}

/**
 * Writes chunks with their vectors. Caches the vectors and records their cost first, so that a retry after an index failure needs no model
 * call. @throws VectorIndexUnavailable
 */
export async function writeChunks(
  { database, vectors, caches }: WriteDependencies,
  tenantId: TenantId,
  index: IndexModel,
  chunks: readonly VectoredChunk[],
  work: WorkBefore,
  signal: AbortSignal,
): Promise<WrittenChunks> {
  const model = modelOfIndex(index.name);
  await database.asTenant(tenantId, async (transaction) => {
    if (caches)
      await storeVectors(
        transaction,
        tenantId,
        model,
        chunks.map(({ embeddingId, revision, hash, chunk }) => ({ embeddingId, revision, hash, vector: chunk.vector })),
      );
    if (work.texts + work.cacheHits > 0) await countEmbedding(transaction, tenantId, model, work);
    await bookEmbedding(transaction, tenantId, work.usage);
  });
  if (chunks.length === 0) return { indexed: 0, refused: 0, overtaken: 0 };
  const refusals = new Map(
    (
      await vectors.upsert(
        tenantId,
        index.name,
        chunks.map(({ chunk }) => chunk),
        signal,
      )
    ).map((refusal) => [refusal.objectId, refusal.message]),
  );
  // An index that rejects every write is full or read-only, which is not counted against the chunks.
  if (refusals.size > 0 && refusals.size === chunks.length)
    throw new VectorIndexUnavailable('the vector index rejects every write: check its disk and read-only state');
  const refused = chunks.flatMap(({ embeddingId, chunk }) => {
    const message = refusals.get(chunk.objectId);
    return message === undefined ? [] : [{ id: embeddingId, message }];
  });
  const written = chunks
    .filter(({ chunk }) => !refusals.has(chunk.objectId))
    .map(({ embeddingId, revision }) => ({ id: embeddingId, revision }));
  const { changed, overtaken } = await database.asTenant(tenantId, async (transaction) => {
    const changed = await settleEmbeddings(transaction, written, refused);
    if (written.length > 0) await noteIndexed(transaction, tenantId, model);
    const ids = written.map(({ id }) => id);
    return { changed, overtaken: await supersededEmbeddings(transaction, ids) };
  });
  // Forgotten while it was embedded: removed again.
  if (overtaken.size > 0)
    await vectors.remove(
      tenantId,
      index.name,
      chunks.filter(({ embeddingId }) => overtaken.has(embeddingId)).map(({ chunk }) => chunk.memoryId),
    );
  return { indexed: written.length - changed, refused: refused.length, overtaken: overtaken.size + changed };
}
