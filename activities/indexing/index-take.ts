import type { TenantId } from '../../domain/ids.ts';
import { modelOfIndex } from '../../domain/index-model.ts';
import type { IndexModel } from '../../domain/index-model.ts';
import type { Embedder } from '../../domain/ports/embedder.ts';
import type { VectorIndex } from '../../domain/ports/vector-index.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import { cachedVectors } from '../../stores/postgres/embeddings/embedding-cache.ts';
import { pendingEmbeddings, settleEmbeddings } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import { requestRemoval } from '../../stores/postgres/embeddings/embedding-removal.ts';
import { embedTexts, guessTokens, textHash, tokenBatches } from './embed-chunks.ts';
import type { RequestedText } from './embed-chunks.ts';
import { embeddedText, placeChunks, toIndexChunk } from './place-chunks.ts';
import type { PlacedChunk } from './place-chunks.ts';
import { writeChunks } from './write-chunks.ts';
import type { VectoredChunk, WorkBefore, WrittenChunks } from './write-chunks.ts';
import { reportProgress } from '../heartbeat.ts';

export interface TakeDependencies {
  readonly database: Database;
  readonly vectors: VectorIndex;
  /** Whether a burst of captures is reported, which has priority. */
  readonly isBurst: () => Promise<boolean>;
  /** Cached vectors per tenant, at most; 0: none. */
  readonly cacheEntries: number;
}

export interface Take {
  readonly indexed: number;
  readonly refused: number;
  readonly more: boolean;
}

/** Ledger chunks read per take. */
const TAKE_CHUNKS = 320;
/** Tokens embedded per take: two or three seconds of the local model, so that a kill costs little and the ledger is read rarely. */
const TAKE_TOKENS = 40_000;
/** No batch starts after this: on a slow or busy machine newer chunks must not wait for a complete take. */
const TAKE_MS = 3_000;
/** Tokens per model call: half a second of the local model, in which the previous batch is written. */
const BATCH_TOKENS = 8_192;

interface HashedChunk extends RequestedText {
  readonly placed: PlacedChunk;
}

const NOTHING: WrittenChunks = { indexed: 0, refused: 0, overtaken: 0 };

/** Marks a write that is awaited later as handled. */
function underWay(writing: Promise<WrittenChunks>): Promise<WrittenChunks> {
  writing.catch(() => undefined);
  return writing;
}

/** Returns the first chunks whose uncached texts fit `TAKE_TOKENS`; one always fits. */
function firstWithin(chunks: readonly HashedChunk[], isKnown: (hash: string) => boolean): readonly HashedChunk[] {
  const seen = new Set<string>();
  let tokens = 0;
  const end = chunks.findIndex(({ hash, text }) => {
    if (isKnown(hash) || seen.has(hash)) return false;
    seen.add(hash);
    tokens += guessTokens(text);
    return tokens > TAKE_TOKENS && seen.size > 1;
  });
  return end < 0 ? chunks : chunks.slice(0, end);
}

/**
 * Embeds and writes the first pending chunks of an index. Cached texts cost no model call; one batch is written while the next is embedded.
 * @throws EmbedderUnavailable, VectorIndexUnavailable
 */
export async function indexTake(
  dependencies: TakeDependencies,
  tenantId: TenantId,
  index: IndexModel,
  embedder: Embedder,
  signal: AbortSignal,
): Promise<Take> {
  const { database, isBurst, cacheEntries } = dependencies;
  const caches = cacheEntries > 0;
  const waiting = await database.asTenant(tenantId, (transaction) =>
    pendingEmbeddings(transaction, index.name, TAKE_CHUNKS + 1),
  );
  if (waiting.length === 0) return { indexed: 0, refused: 0, more: false };
  const batchRows = waiting.slice(0, TAKE_CHUNKS);
  const { chunks, known, missingIds } = await database.readAsTenant(tenantId, async (read) => {
    const { placed, missingIds } = await placeChunks(read, batchRows);
    const chunks = placed.map((one): HashedChunk => {
      const text = embeddedText(one);
      return { placed: one, text, hash: textHash(text) };
    });
    const hashes = [...new Set(chunks.map(({ hash }) => hash))];
    return {
      chunks,
      missingIds,
      known: caches ? await cachedVectors(read, modelOfIndex(index.name), hashes) : new Map<string, Float32Array>(),
    };
  });
  const taken = firstWithin(chunks, (hash) => known.has(hash));
  const later = new Set(chunks.slice(taken.length).map(({ placed }) => placed.pending.id));
  const placedIds = new Set(chunks.map(({ placed }) => placed.pending.id));
  // Memories that no longer exist are removed from the index; chunks that their memory no longer has are settled.
  const blank = batchRows.filter((chunk) => !placedIds.has(chunk.id) && !missingIds.has(chunk.memoryId));
  if (blank.length > 0 || missingIds.size > 0)
    await database.asTenant(tenantId, async (transaction) => {
      await settleEmbeddings(transaction, blank, []);
      await requestRemoval(transaction, [...missingIds]);
    });

  const sharing = new Map<string, HashedChunk[]>();
  for (const chunk of taken) sharing.set(chunk.hash, [...(sharing.get(chunk.hash) ?? []), chunk]);
  const vectored = (found: ReadonlyMap<string, Float32Array>): VectoredChunk[] =>
    [...found].flatMap(([hash, vector]) =>
      (sharing.get(hash) ?? []).map(({ placed }) => ({
        embeddingId: placed.pending.id,
        revision: placed.pending.revision,
        hash,
        chunk: toIndexChunk(placed, vector),
      })),
    );
  const total = { indexed: blank.length, refused: 0, overtaken: 0 };
  const add = (written: WrittenChunks): void => {
    total.indexed += written.indexed;
    total.refused += written.refused;
    total.overtaken += written.overtaken;
  };
  const write = (
    written: readonly VectoredChunk[],
    texts: number,
    { usage, seconds }: Pick<WorkBefore, 'usage' | 'seconds'>,
  ): Promise<WrittenChunks> =>
    writeChunks(
      { ...dependencies, caches },
      tenantId,
      index,
      written,
      { texts, cacheHits: written.length - texts, usage, seconds },
      signal,
    );
  const fresh = [...sharing.values()].flatMap((same) => same.slice(0, 1)).filter(({ hash }) => !known.has(hash));
  const hits = vectored(new Map([...known].filter(([hash]) => sharing.has(hash))));
  let writing = hits.length === 0 ? Promise.resolve(NOTHING) : underWay(write(hits, 0, { usage: [], seconds: 0 }));
  let left = 0;
  const startedMs = performance.now();
  try {
    const batches = tokenBatches(fresh, BATCH_TOKENS);
    for (const [at, batch] of batches.entries()) {
      if (at > 0 && (performance.now() - startedMs > TAKE_MS || (await isBurst()))) {
        left = batches.slice(at).flat().length;
        break;
      }
      const [embedded, written] = await Promise.all([embedTexts(embedder, batch, signal), writing]);
      reportProgress(signal);
      add(written);
      writing = Promise.resolve(NOTHING);
      if (embedded.refused.size > 0) {
        const refused = [...embedded.refused].flatMap((hash) => sharing.get(hash) ?? []);
        await database.asTenant(tenantId, (transaction) =>
          settleEmbeddings(
            transaction,
            [],
            refused.map(({ placed }) => ({ id: placed.pending.id, message: 'the embedding model rejects the text' })),
          ),
        );
        total.refused += refused.length;
      }
      writing = underWay(write(vectored(embedded.vectors), embedded.vectors.size, embedded));
    }
    add(await writing);
  } finally {
    // A write in progress ends first: the next attempt must not overlap it.
    await Promise.allSettled([writing]);
  }
  return {
    indexed: total.indexed,
    refused: total.refused,
    more:
      waiting.length > batchRows.length ||
      later.size > 0 ||
      left > 0 ||
      total.refused > 0 ||
      total.overtaken > 0 ||
      missingIds.size > 0,
  };
}
