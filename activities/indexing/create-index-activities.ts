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
import { indexTake } from './index-take.ts';
import type { Take, TakeDependencies } from './index-take.ts';

export interface IndexDependencies extends TakeDependencies {
  readonly embedders: Embedders;
}

/** Pause after a failure of the target index's model, unless the provider sets one. */
const REST_MS = 15_000;

const NOTHING: Take = { indexed: 0, refused: 0, more: false };

/** Embeds pending chunks of the ledger. Idempotent: object ids are derived. */
export function createIndexActivities(dependencies: IndexDependencies): IndexActivities {
  const { database, embedders, vectors } = dependencies;

  const takeServed = async (tenantId: TenantId, indexes: TenantIndexes, signal: AbortSignal): Promise<Take> => {
    const { serving, building } = indexes;
    const embedder = embedders.of(modelOfIndex(serving.name));
    if (embedder !== null) return indexTake(dependencies, tenantId, serving, embedder, signal);
    // The settings no longer configure its model. Nothing waits for an index that is being replaced.
    if (building?.filled === true)
      await database.asTenant(tenantId, (transaction) => countDone(transaction, serving.name));
    return NOTHING;
  };

  /** A target index never blocks the served one: a failure of its model is recorded and retried after a pause. */
  const takeBuilt = async (tenantId: TenantId, indexes: TenantIndexes, signal: AbortSignal): Promise<Take> => {
    const { building, retryAt, error: shown } = indexes;
    if (building === null || (retryAt !== null && retryAt.getTime() > Date.now())) return NOTHING;
    const embedder = embedders.of(modelOfIndex(building.name));
    if (embedder === null) return NOTHING;
    try {
      const take = await indexTake(dependencies, tenantId, building, embedder, signal);
      if (shown !== null && take.indexed > 0)
        await database.asTenant(tenantId, (transaction) => noteBuildFault(transaction, building.name, null));
      return take;
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
        const takes: Take[] = [];
        if (indexes !== null) {
          const [served] = await Promise.allSettled([takeServed(tenantId, indexes, signal)]);
          // Also if the served index fails: the target index may replace it.
          const built = await takeBuilt(tenantId, indexes, signal);
          if (served.status === 'fulfilled') takes.push(served.value);
          else if (built.indexed === 0) throw served.reason;
          takes.push(built);
        }
        return {
          indexed: takes.reduce((sum, take) => sum + take.indexed, 0),
          refused: takes.reduce((sum, take) => sum + take.refused, 0),
          more: hasRemovals || takes.some((take) => take.more),
        };
      }),
  };
}
