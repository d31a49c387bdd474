import type { TenantId } from '../../domain/ids.ts';
import { DATA_CLASSES } from '../../domain/data-classes.ts';
import { modelOfIndex } from '../../domain/index-model.ts';
import type { IndexModel } from '../../domain/index-model.ts';
import type { Embedder } from '../../domain/ports/embedder.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import { cachedVectors } from '../../stores/postgres/embeddings/embedding-cache.ts';
import { pendingEmbeddings, settleEmbeddings } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import { requestRemoval } from '../../stores/postgres/embeddings/embedding-removal.ts';
import { guessTokens, textHash, tokenBatches } from './embed-chunks.ts';
import type { RequestedText } from './embed-chunks.ts';
import { embeddedText, placeChunks, toIndexChunk } from './place-chunks.ts';
import type { PlacedChunk } from './place-chunks.ts';
import type { VectoredChunk } from './write-chunks.ts';

export interface PendingSource {
  readonly database: Database;
  /** Cached vectors per tenant, at most; 0: none. */
  readonly cacheEntries: number;
}

/** Texts of one model call, and what else a read of the ledger returned with them. */
export interface PendingBatch {
  readonly texts: readonly RequestedText[];
  /** Chunks with a cached vector. */
  readonly cached: readonly VectoredChunk[];
  /** Chunks that needed no vector and are settled. */
  readonly settled: number;
  /** Memories that no longer exist: their removal from the index is requested. */
  readonly missing: number;
  /** Returns the chunks of these vectors by hash. */
  vectored(vectors: ReadonlyMap<string, Float32Array>): VectoredChunk[];
  /** Returns the ledger rows of a text. */
  rowsOf(hash: string): string[];
}

/** Ledger chunks of one read. */
const READ_CHUNKS = 320;
/** Tokens of one read: two or three seconds of the local model. */
const READ_TOKENS = 40_000;
/** No batch of a read starts after this: newer chunks come with the next read, soon also on a slow or busy machine. */
const READ_MS = 1_500;
/** Tokens per model call: half a second of the local model, in which the previous batch is written and the next one read. */
const BATCH_TOKENS = 8_192;

interface HashedChunk extends RequestedText {
  readonly placed: PlacedChunk;
}

/** Returns the one of equal texts with the lowest stored class: what is sent of one row is no secret of another. */
function leastClassified(same: readonly HashedChunk[]): HashedChunk[] {
  const rankOf = ({ stored }: HashedChunk) => DATA_CLASSES.indexOf(stored ?? 'public');
  return same.toSorted((a, b) => rankOf(a) - rankOf(b)).slice(0, 1);
}

/** Returns the first chunks whose uncached texts fit `READ_TOKENS`; one always fits. */
function firstWithin(chunks: readonly HashedChunk[], isKnown: (hash: string) => boolean): readonly HashedChunk[] {
  const seen = new Set<string>();
  let tokens = 0;
  const end = chunks.findIndex(({ hash, text }) => {
    if (isKnown(hash) || seen.has(hash)) return false;
    seen.add(hash);
    tokens += guessTokens(text);
    return tokens > READ_TOKENS && seen.size > 1;
  });
  return end < 0 ? chunks : chunks.slice(0, end);
}

/** Reads the texts of ledger rows, and the vectors that are cached. */
async function readChunks(
  { database, cacheEntries }: PendingSource,
  tenantId: TenantId,
  index: IndexModel,
  rows: Parameters<typeof placeChunks>[1],
  withholds: Embedder['withholds'],
) {
  return database.readAsTenant(tenantId, async (read) => {
    const { placed, missingIds } = await placeChunks(read, rows);
    const chunks = placed.map((one): HashedChunk => {
      const text = embeddedText(one, withholds);
      return { placed: one, text, hash: textHash(text), stored: one.memory.dataClass };
    });
    const hashes = [...new Set(chunks.map(({ hash }) => hash))];
    const known =
      cacheEntries > 0 ? await cachedVectors(read, modelOfIndex(index.name), hashes) : new Map<string, Float32Array>();
    return { chunks, missingIds, known };
  });
}

/**
 * Yields batches of the first pending chunks of an index, and reads the ledger again after those of one read, or when that read is old. Rows in `inHand` are left out; yielded
 * ones are added: the caller removes them when they are settled. Returns whether the last read left chunks behind.
 */
export async function* pendingBatches(
  source: PendingSource,
  tenantId: TenantId,
  index: IndexModel,
  inHand: Set<string>,
  withholds: Embedder['withholds'],
): AsyncGenerator<PendingBatch, boolean> {
  const { database } = source;
  for (;;) {
    const rows = await database.asTenant(tenantId, (transaction) =>
      pendingEmbeddings(transaction, index.name, READ_CHUNKS + 1 + inHand.size),
    );
    const startedMs = performance.now();
    const waiting = rows.filter(({ id }) => !inHand.has(id));
    if (waiting.length === 0) return rows.length > 0;
    const readRows = waiting.slice(0, READ_CHUNKS);
    const { chunks, missingIds, known } = await readChunks(source, tenantId, index, readRows, withholds);
    const taken = firstWithin(chunks, (hash) => known.has(hash));
    const later = new Set(chunks.slice(taken.length).map(({ placed }) => placed.pending.id));
    const placedIds = new Set(chunks.map(({ placed }) => placed.pending.id));
    for (const { id } of readRows) if (!later.has(id)) inHand.add(id);
    // Memories that no longer exist are removed from the index; chunks that their memory no longer has are settled.
    const blank = readRows.filter((chunk) => !placedIds.has(chunk.id) && !missingIds.has(chunk.memoryId));
    if (blank.length > 0 || missingIds.size > 0)
      await database.asTenant(tenantId, async (transaction) => {
        await settleEmbeddings(transaction, blank, []);
        await requestRemoval(transaction, [...missingIds]);
      });

    const sharing = Map.groupBy(taken, ({ hash }) => hash);
    const vectored = (vectors: ReadonlyMap<string, Float32Array>): VectoredChunk[] =>
      [...vectors].flatMap(([hash, vector]) =>
        (sharing.get(hash) ?? []).map(({ placed }) => ({
          embeddingId: placed.pending.id,
          revision: placed.pending.revision,
          hash,
          chunk: toIndexChunk(placed, vector),
        })),
      );
    const rowsOf = (hash: string): string[] => (sharing.get(hash) ?? []).map(({ placed }) => placed.pending.id);
    const fresh = [...sharing.values()].flatMap(leastClassified).filter(({ hash }) => !known.has(hash));
    const [first = [], ...others] = tokenBatches(fresh, BATCH_TOKENS);
    const cached = vectored(new Map([...known].filter(([hash]) => sharing.has(hash))));
    yield { texts: first, cached, settled: blank.length, missing: missingIds.size, vectored, rowsOf };
    let isStale = false;
    for (const texts of others) {
      isStale ||= performance.now() - startedMs > READ_MS;
      if (isStale) for (const { hash } of texts) for (const id of rowsOf(hash)) inHand.delete(id);
      else yield { texts, cached: [], settled: 0, missing: 0, vectored, rowsOf };
    }
    if (!isStale && waiting.length <= READ_CHUNKS && later.size === 0) return false;
  }
}
