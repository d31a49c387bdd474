import { setTimeout as pause } from 'node:timers/promises';
import { asId } from '../../domain/ids.ts';
import { ModelError } from '../../domain/ports/model.ts';
import type { ModelBatches } from '../../domain/ports/model.ts';
import { readBatch, touchBatch } from '../../stores/postgres/model-batches.ts';
import type { BatchRef, ModelBatchActivities } from '../../workflows/model-batch/types.ts';
import { beating } from '../heartbeat.ts';
import { hintedIndex } from '../hinted-index.ts';
import { collectBatch } from './collect.ts';
import type { BatchDependencies } from './dependencies.ts';
import { submitBatch } from './submit.ts';

/** How long a batch that was told to end is waited for: what it had answered by then is paid for, and used. */
const RELEASE_MS = 60_000;
const RELEASE_LOOK_MS = 2_000;

/** Steps of a provider batch. Each may be done again at any point. */
export function createModelBatchActivities(dependencies: BatchDependencies): ModelBatchActivities {
  const { database, hints, model } = dependencies;

  /** @throws ModelError where the settings name a provider that has none: then batches that were begun wait until they name it again */
  const batchesOf = (): ModelBatches => {
    if (model.batches === null) throw new ModelError('unauthorised', 'the model of the settings has no batches');
    return model.batches;
  };
  const providerIdOf = async ({ tenantId, batchId }: BatchRef): Promise<string | null> => {
    const batch = await database.asTenant(asId(tenantId), (transaction) => readBatch(transaction, batchId));
    return batch?.providerBatchId ?? null;
  };

  return {
    submitBatch: (ref) => beating((signal) => submitBatch(dependencies, batchesOf(), ref, signal)),

    lookAtBatch: (ref) =>
      beating(async (signal) => {
        const providerId = await providerIdOf(ref);
        // Nothing was sent: there is nothing to wait for, and collecting lets the windows wait again.
        if (providerId === null) return { ended: true, processing: 0 };
        const { ended, processing } = await batchesOf().look(providerId, signal);
        await database.asTenant(asId(ref.tenantId), (transaction) => touchBatch(transaction, ref.batchId));
        return { ended, processing };
      }),

    collectBatch: (ref) =>
      beating(async (signal) => {
        const result = await collectBatch(dependencies, batchesOf(), ref, signal);
        await hintedIndex(hints, asId(ref.tenantId));
        return result;
      }),

    releaseBatch: (ref) =>
      beating(async (signal) => {
        const providerId = await providerIdOf(ref);
        if (providerId !== null) {
          const batches = batchesOf();
          await batches.cancel(providerId, signal);
          const deadline = performance.now() + RELEASE_MS;
          while (!(await batches.look(providerId, signal)).ended && performance.now() < deadline)
            await pause(RELEASE_LOOK_MS, undefined, { signal });
        }
        const { sessionIds } = await collectBatch(dependencies, batchesOf(), ref, signal);
        return { sessionIds };
      }),
  };
}
