import { chunkText } from '../../domain/chunking.ts';
import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import { isOlderIndex } from '../../domain/index-model.ts';
import type { IndexModel } from '../../domain/index-model.ts';
import type { VectorIndex } from '../../domain/ports/vector-index.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import { deleteIndexChunks } from '../../stores/postgres/embeddings/embedding-cache.ts';
import {
  abandonIndex,
  beginIndex,
  forgetRetired,
  lockIndexes,
  noteFilled,
  readIndexes,
  switchIndex,
} from '../../stores/postgres/embeddings/embedding-indexes.ts';
import type { TenantIndexes } from '../../stores/postgres/embeddings/embedding-indexes.ts';
import { refillNext } from '../../stores/postgres/embeddings/embedding-rewrites.ts';
import { countDone, fillIndex, memoriesOfIndex } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import { readMemories } from '../../stores/postgres/memories/memories.ts';
import type { ReindexActivities, ReindexStep } from '../../workflows/indexing/types.ts';
import { reportProgress, withHeartbeat } from '../heartbeat.ts';
import { tryHintIndex } from '../try-hint-index.ts';

export interface ReindexDependencies {
  readonly database: Database;
  readonly vectors: VectorIndex;
  readonly hints: WorkflowHints;
  /** The configured index. */
  readonly embeddingModel: IndexModel;
  /** How long the old index remains after the switch. */
  readonly graceMs: number;
}

/** Memories per transaction, some ten milliseconds in which other requests for vectors wait. */
const FILL_MEMORIES = 200;
const DELETED_MEMORIES = 500;
const REWRITTEN_MEMORIES = 1_000;
/** Poll interval until the target index is complete; longer while its model is unavailable. */
const LOOK_MS = 2_000;
const AWAY_LOOK_MS = 15_000;

const DONE: ReindexStep = { phase: 'completed', waiting: null, waitMs: 0 };

/** Replaces a tenant's index, one step at a time. All state is in the tables. */
export function createReindexActivities(dependencies: ReindexDependencies): ReindexActivities {
  const { database, vectors, hints, embeddingModel, graceMs } = dependencies;

  /** Requests one batch of the served ledger in the target index; returns its last row id, null at the end. */
  const fillBatch = async (
    tenantId: TenantId,
    from: string,
    to: IndexModel,
    after: string | null,
  ): Promise<string | null> => {
    const { memories, current } = await database.readAsTenant(tenantId, async (read) => {
      const memories = await memoriesOfIndex(read, from, after, FILL_MEMORIES);
      return { memories, current: await readMemories(read, memories, undefined, undefined, 'shown') };
    });
    const byId = new Map(current.map((memory) => [memory.id, memory]));
    const wanted = memories.flatMap(({ id, type, sessionId }) => {
      const memory = byId.get(id);
      return memory === undefined ? [] : [{ id, type, sessionId, chunks: chunkText(memory.title, memory.content) }];
    });
    const next = memories.length < FILL_MEMORIES ? null : (memories.at(-1)?.rowId ?? null);
    await database.asTenant(tenantId, async (transaction) => {
      // First: requests for vectors lock this row before rows of the ledger.
      const locked = await lockIndexes(transaction, tenantId, embeddingModel, 'change');
      if (locked.building?.name !== to.name) return;
      await fillIndex(transaction, tenantId, to, wanted);
      await noteFilled(transaction, memories.length, next);
    });
    return next;
  };

  const fill = async (
    tenantId: TenantId,
    indexes: TenantIndexes,
    to: IndexModel,
    signal: AbortSignal,
  ): Promise<void> => {
    let after = indexes.building?.fillAfter ?? null;
    do {
      reportProgress(signal);
      after = await fillBatch(tenantId, indexes.serving.name, to, after);
    } while (after !== null);
  };

  /** Removes an index from Weaviate, then from the ledger and the cache. */
  const remove = async (tenantId: TenantId, name: string, signal: AbortSignal): Promise<void> => {
    await vectors.drop(tenantId, name);
    let deleted: number;
    do {
      reportProgress(signal);
      deleted = await database.asTenant(tenantId, (transaction) =>
        deleteIndexChunks(transaction, name, DELETED_MEMORIES),
      );
    } while (deleted > 0);
    await database.asTenant(tenantId, (transaction) => forgetRetired(transaction, name));
  };

  /** Does the next step; null if another follows at once. */
  const step = async (tenantId: TenantId, signal: AbortSignal): Promise<ReindexStep | null> => {
    const indexes = await database.readAsTenant(tenantId, readIndexes);
    if (indexes === null) return DONE;
    const { serving, building, retired, error } = indexes;
    if (indexes.rewrite !== null) {
      await database.asTenant(tenantId, (transaction) => refillNext(transaction, indexes, REWRITTEN_MEMORIES));
      await tryHintIndex(hints, tenantId);
      return null;
    }
    const isRequested = serving.name === embeddingModel.name || isOlderIndex(embeddingModel.name, serving.name);
    const restMs = retired === null ? 0 : retired.at.getTime() - Date.now();
    const isNext = building === null ? !isRequested : building.name !== embeddingModel.name || building.filled;
    // One retired index at a time: if it blocks the next change, it is removed early, unless it was just abandoned.
    if (retired !== null && (restMs <= 0 || (isNext && restMs > 60_000))) {
      await remove(tenantId, retired.name, signal);
      return null;
    }
    if (building === null) {
      if (retired !== null) return { phase: 'grace', waiting: null, waitMs: Math.max(restMs, 1) };
      if (isRequested) return DONE;
      await database.asTenant(tenantId, async (transaction) => {
        const locked = await lockIndexes(transaction, tenantId, embeddingModel, 'change');
        if (locked.building === null && locked.retired === null) await beginIndex(transaction, embeddingModel);
      });
      return null;
    }
    if (building.name !== embeddingModel.name && !isOlderIndex(embeddingModel.name, building.name)) {
      if (retired !== null) return { phase: 'removing', waiting: null, waitMs: Math.max(restMs, 1) };
      await database.asTenant(tenantId, (transaction) => abandonIndex(transaction));
      return null;
    }
    if (!building.filled) {
      await fill(tenantId, indexes, building, signal);
      await tryHintIndex(hints, tenantId);
      return { phase: 'embedding', waiting: null, waitMs: LOOK_MS };
    }
    const switched = await database.asTenant(tenantId, async (transaction) => {
      await lockIndexes(transaction, tenantId, embeddingModel, 'change');
      const done = await switchIndex(transaction, building.name, graceMs);
      if (done) await countDone(transaction, serving.name);
      return done;
    });
    if (switched) return null;
    await tryHintIndex(hints, tenantId);
    return { phase: 'embedding', waiting: error, waitMs: error === null ? LOOK_MS : AWAY_LOOK_MS };
  };

  return {
    reindexStep: (input) =>
      withHeartbeat(async (signal) => {
        for (;;) {
          reportProgress(signal);
          const done = await step(asId<TenantId>(input.tenantId), signal);
          if (done !== null) return done;
        }
      }),
  };
}
