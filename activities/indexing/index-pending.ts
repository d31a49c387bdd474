import type { TenantId } from '../../domain/ids.ts';
import type { IndexModel } from '../../domain/index-model.ts';
import type { Embedder } from '../../domain/ports/embedder.ts';
import { NO_TRACER } from '../../domain/ports/tracer.ts';
import type { Span, Tracer } from '../../domain/ports/tracer.ts';
import type { VectorIndex } from '../../domain/ports/vector-index.ts';
import { pendingEmbeddings, settleEmbeddings } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import { markSearchable } from '../../stores/postgres/sessions/searchable.ts';
import { marksOfChunks } from '../../stores/postgres/traces/trace-marks.ts';
import { reportProgress } from '../heartbeat.ts';
import { embedTexts } from './embed-chunks.ts';
import { pendingBatches } from './pending-batches.ts';
import type { PendingBatch, PendingSource } from './pending-batches.ts';
import { writeChunks } from './write-chunks.ts';
import type { VectoredChunk, WorkBefore } from './write-chunks.ts';

export interface IndexPendingDependencies extends PendingSource {
  readonly vectors: VectorIndex;
  /** Whether a burst of captures is reported, which has priority. */
  readonly isBurst: () => Promise<boolean>;
  readonly tracer?: Tracer;
  /** Called for each ended session that became searchable, with the seconds since the capture of its end. */
  readonly onSearchable: (seconds: number) => void;
}

export interface IndexedPending {
  readonly indexed: number;
  readonly refused: number;
  readonly more: boolean;
}

/** No batch starts after this: an index that is built beside this one, removals and other tenants must not wait. */
const RUN_MS = 5_000;

const REFUSED = { message: 'the embedding model rejects the text', isWithheld: false };
const WITHHELD = { message: 'the class of the text is above RECOLLECT_MODEL_MAX_CLASS', isWithheld: true };

/** Marks work that is awaited later as handled. */
function underWay<Result>(work: Promise<Result>): Promise<Result> {
  work.catch(() => undefined);
  return work;
}

/**
 * Embeds and writes pending chunks of an index for some seconds. Cached texts cost no model call. The model never waits: while it embeds a batch, the
 * next one is behind it, the previous one is written, and the one after the next read.
 * @throws EmbedderUnavailable, VectorIndexUnavailable
 */
export async function indexPending(
  dependencies: IndexPendingDependencies,
  tenantId: TenantId,
  index: IndexModel,
  embedder: Embedder,
  signal: AbortSignal,
): Promise<IndexedPending> {
  const { database, isBurst, cacheEntries, tracer = NO_TRACER } = dependencies;
  const inHand = new Set<string>();
  const total = { indexed: 0, refused: 0, more: false };
  /** Begins the span of a batch, which ends with its write. */
  const begin = (chunkIds: readonly string[], texts: number): Promise<Span> =>
    tracer.begin('embed.batch', () => marksOfChunks(database, tenantId, chunkIds), {
      'recollect.tenant_id': tenantId,
      'recollect.chunks': chunkIds.length,
      'recollect.texts': texts,
      'gen_ai.operation.name': 'embeddings',
      'gen_ai.request.model': embedder.model,
    });
  const write = async (
    span: Span,
    chunks: readonly VectoredChunk[],
    { usage, seconds }: Pick<WorkBefore, 'usage' | 'seconds'>,
    texts: number,
  ) => {
    const work = { texts, cacheHits: chunks.length - texts, usage, seconds };
    const parts = { ...dependencies, caches: cacheEntries > 0 };
    const written = await span.run(() =>
      tracer.step('weaviate.write', () => writeChunks(parts, tenantId, index, chunks, work, signal), {
        'db.system.name': 'weaviate',
        'recollect.chunks': chunks.length,
      }),
    );
    span.end();
    // Refused ones stay in hand, as refused texts do: this run does not try them again.
    if (written.refused === 0) for (const { embeddingId } of chunks) inHand.delete(embeddingId);
    const sessionIds = new Set(chunks.flatMap(({ chunk }) => chunk.sessionId ?? []));
    for (const took of await markSearchable(database.pool, tenantId, [...sessionIds])) dependencies.onSearchable(took);
    total.indexed += written.indexed;
    total.refused += written.refused;
    if (written.refused + written.overtaken > 0) total.more = true;
  };
  const refuse = async (batch: PendingBatch, hashes: ReadonlySet<string>, reason: typeof REFUSED): Promise<void> => {
    if (hashes.size === 0) return;
    const rows = [...hashes].flatMap((hash) => batch.rowsOf(hash));
    await database.asTenant(tenantId, (transaction) =>
      settleEmbeddings(
        transaction,
        [],
        rows.map((id) => ({ id, ...reason })),
      ),
    );
    total.refused += rows.length;
    total.more = true;
  };

  const batches = pendingBatches(dependencies, tenantId, index, inHand, embedder.withholds);
  const startedMs = performance.now();
  let writing = Promise.resolve();
  const writeNext = (...work: Parameters<typeof write>): void => {
    const [span] = work;
    const written = writing.then(() => write(...work));
    writing = underWay(
      written.catch((error: unknown) => {
        span.end(error);
        throw error;
      }),
    );
  };
  let upcoming = underWay(batches.next());
  /** The newest batch: embedded, and its write started. */
  let last = Promise.resolve();
  let modelFreeMs = startedMs;
  const embedBehind = async (batch: PendingBatch, before: Promise<void>): Promise<void> => {
    const chunkIds = batch.texts.flatMap(({ hash }) => batch.rowsOf(hash));
    const span = await begin(chunkIds, batch.texts.length);
    try {
      const requestedMs = performance.now();
      const embedded = await span.run(() => embedTexts(embedder, batch.texts, signal));
      const seconds = (performance.now() - Math.max(requestedMs, modelFreeMs)) / 1_000;
      modelFreeMs = performance.now();
      span.note({ 'recollect.model_seconds': seconds });
      // What the model returned is written, also if it failed for the batch before.
      await Promise.allSettled([before]);
      await writing;
      reportProgress(signal);
      await refuse(batch, embedded.refused, REFUSED);
      await refuse(batch, embedded.withheld, WITHHELD);
      writeNext(span, batch.vectored(embedded.vectors), { ...embedded, seconds }, embedded.vectors.size);
    } catch (error) {
      span.end(error);
      throw error;
    }
  };
  try {
    for (let isFirst = true; ; isFirst = false) {
      const { done, value } = await upcoming;
      if (done === true) {
        if (value) total.more = true;
        break;
      }
      total.indexed += value.settled;
      if (value.missing > 0) total.more = true;
      if (!isFirst && (performance.now() - startedMs > RUN_MS || (await isBurst()))) {
        total.more = true;
        break;
      }
      upcoming = underWay(batches.next());
      if (value.cached.length > 0) {
        const span = await begin(
          value.cached.map(({ embeddingId }) => embeddingId),
          0,
        );
        await writing;
        writeNext(span, value.cached, { usage: [], seconds: 0 }, 0);
      }
      if (value.texts.length === 0) continue;
      const before = last;
      last = underWay(embedBehind(value, before));
      await before;
    }
    await last;
    await writing;
    // Sessions send no hint while others' chunks wait: what was requested since the last read is found here, after the last chunk is settled.
    if (!total.more && total.indexed > 0) {
      const rest = await database.asTenant(tenantId, (read) => pendingEmbeddings(read, index.name, 1));
      total.more = rest.length > 0;
    }
  } finally {
    // A write in progress ends first: the next attempt must not overlap it.
    await Promise.allSettled([last, upcoming]);
    await Promise.allSettled([writing]);
  }
  return total;
}
