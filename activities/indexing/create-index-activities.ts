import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import { modelOfIndex } from '../../domain/index-model.ts';
import { EmbedderUnavailable } from '../../domain/ports/embedder.ts';
import type { Embedders } from '../../domain/ports/embedder.ts';
import { noteBuildFault, readIndexes } from '../../stores/postgres/embeddings/embedding-indexes.ts';
import type { TenantIndexes } from '../../stores/postgres/embeddings/embedding-indexes.ts';
import { countDone } from '../../stores/postgres/embeddings/embedding-ledger.ts';
import type { IndexActivities } from '../../workflows/indexing/types.ts';
import { failureType } from '../failures.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { removeVectors } from '../removed-vectors.ts';
import { indexPending } from './index-pending.ts';
import type { IndexedPending, IndexPendingDependencies } from './index-pending.ts';

export interface IndexDependencies extends IndexPendingDependencies {
  readonly embedders: Embedders;
}

/** Pause after a failure of the target index's model, unless the provider sets one. */
const REST_MS = 15_000;

const NOTHING: IndexedPending = { indexed: 0, refused: 0, more: false };

/** Embeds pending chunks of the ledger. Idempotent: object ids are derived. */
export function createIndexActivities(dependencies: IndexDependencies): IndexActivities {
  const { database, embedders, vectors } = dependencies;

  const indexServed = async (
    tenantId: TenantId,
    indexes: TenantIndexes,
    signal: AbortSignal,
  ): Promise<IndexedPending> => {
    const { serving, building } = indexes;
    const embedder = embedders.of(modelOfIndex(serving.name));
    if (embedder !== null) return indexPending(dependencies, tenantId, serving, embedder, signal);
    // The settings no longer configure its model. Nothing waits for an index that is being replaced.
    if (building?.filled === true)
      await database.asTenant(tenantId, (transaction) => countDone(transaction, serving.name));
    return NOTHING;
  };

  /** A target index never blocks the served one: a failure of its model is recorded and retried after a pause. */
  const indexBuilt = async (
    tenantId: TenantId,
    indexes: TenantIndexes,
    signal: AbortSignal,
  ): Promise<IndexedPending> => {
    const { building, retryAt, error: shown } = indexes;
    if (building === null || (retryAt !== null && retryAt.getTime() > Date.now())) return NOTHING;
    const embedder = embedders.of(modelOfIndex(building.name));
    if (embedder === null) return NOTHING;
    try {
      const built = await indexPending(dependencies, tenantId, building, embedder, signal);
      if (shown !== null && built.indexed > 0)
        await database.asTenant(tenantId, (transaction) => noteBuildFault(transaction, building.name, null));
      return built;
    } catch (error) {
      signal.throwIfAborted();
      const restMs = error instanceof EmbedderUnavailable ? (error.retryAfterMs ?? REST_MS) : REST_MS;
      await database.asTenant(tenantId, (transaction) =>
        noteBuildFault(transaction, building.name, { error: failureType(error), restMs }),
      );
      return NOTHING;
    }
  };

  return {
    embedBatch: (input) =>
      withHeartbeat(async (signal) => {
        const tenantId = asId<TenantId>(input.tenantId);
        // Before embedding: removals must not wait for an unavailable model.
        const hasRemovals = await removeVectors(database, vectors, tenantId);
        const indexes = await database.readAsTenant(tenantId, readIndexes);
        const results: IndexedPending[] = [];
        if (indexes !== null) {
          const [served] = await Promise.allSettled([indexServed(tenantId, indexes, signal)]);
          // Also if the served index fails: the target index may replace it.
          const built = await indexBuilt(tenantId, indexes, signal);
          if (served.status === 'fulfilled') results.push(served.value);
          else if (built.indexed === 0) throw served.reason;
          results.push(built);
        }
        return {
          indexed: results.reduce((sum, one) => sum + one.indexed, 0),
          refused: results.reduce((sum, one) => sum + one.refused, 0),
          more: hasRemovals || results.some(({ more }) => more),
        };
      }),
  };
}
