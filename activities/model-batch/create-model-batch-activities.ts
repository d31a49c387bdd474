import { setTimeout as pause } from 'node:timers/promises';
import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import { ModelError } from '../../domain/ports/model.ts';
import type { ModelBatches } from '../../domain/ports/model.ts';
import { markSent, readBatch, touchBatch } from '../../stores/postgres/usage/model-batches.ts';
import type { BatchRef, ModelBatchActivities } from '../../workflows/model-batch/types.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { tryHintIndex } from '../try-hint-index.ts';
import { collectBatch, abandonBatch } from './collect.ts';
import type { BatchDependencies } from './window-work.ts';
import { findUnconfirmed, submitBatch } from './submit.ts';

/** Longest wait for a cancelled batch: its results until then are paid for, and used. */
const RELEASE_MS = 60_000;
const RELEASE_LOOK_MS = 2_000;

/** Steps of a provider batch. Each is repeatable. */
export function createModelBatchActivities(dependencies: BatchDependencies): ModelBatchActivities {
  const { database, hints, model } = dependencies;

  /** Returns the batch API. @throws ModelError if the configured provider has none: existing batches wait until one is configured */
  const batchesOf = (): ModelBatches => {
    if (model.batches === null) throw new ModelError('unauthorised', 'the configured model has no batches');
    return model.batches;
  };
  const find = ({ tenantId, batchId }: BatchRef) =>
    database.asTenant(asId(tenantId), (transaction) => readBatch(transaction, batchId));

  /** Cancels a batch at the provider, even if its creation was never confirmed, and waits for its results. */
  const endAtProvider = async (ref: BatchRef, signal: AbortSignal): Promise<void> => {
    const batch = await find(ref);
    if (batch === null || batch.state === 'ended') return;
    const batches = batchesOf();
    const tenantId = asId<TenantId>(ref.tenantId);
    const lost = await findUnconfirmed(dependencies, batches, tenantId, batch, signal);
    if (lost !== null)
      await database.asTenant(tenantId, (transaction) => markSent(transaction, ref.batchId, lost.batchId, lost.calls));
    const providerId = lost?.batchId ?? batch.providerBatchId;
    if (providerId === null) return;
    if (!(await batches.poll(providerId, signal)).ended) await batches.cancel(providerId, signal);
    const deadline = performance.now() + RELEASE_MS;
    while (!(await batches.poll(providerId, signal)).ended && performance.now() < deadline)
      await pause(RELEASE_LOOK_MS, undefined, { signal });
  };

  return {
    submitBatch: (ref) => withHeartbeat((signal) => submitBatch(dependencies, batchesOf(), ref, signal)),

    pollBatch: (ref) =>
      withHeartbeat(async (signal) => {
        const batch = await find(ref);
        // Nothing was sent: collecting queues the windows again.
        if (batch?.providerBatchId === undefined || batch.providerBatchId === null)
          return { ended: true, processing: 0 };
        try {
          const { ended, processing } = await batchesOf().poll(batch.providerBatchId, signal);
          await database.asTenant(asId(ref.tenantId), (transaction) => touchBatch(transaction, ref.batchId));
          return { ended, processing };
        } catch (error) {
          if (isMissing(error)) return { ended: true, processing: 0 };
          throw error;
        }
      }),

    collectBatch: (ref) =>
      withHeartbeat(async (signal) => {
        const result = await collectBatch(dependencies, batchesOf(), ref, signal).catch(async (error: unknown) => {
          if (!isMissing(error)) throw error;
          return { sessionIds: await abandonBatch(dependencies, ref), summarised: 0, parked: 0, requeued: 0 };
        });
        await tryHintIndex(hints, asId(ref.tenantId));
        return result;
      }),

    releaseBatch: (ref) =>
      withHeartbeat(async (signal) => {
        try {
          await endAtProvider(ref, signal);
          const { sessionIds } = await collectBatch(dependencies, batchesOf(), ref, signal);
          return { sessionIds };
        } catch (error) {
          if (!(error instanceof ModelError)) throw error;
          // Cancelling a batch releases its windows, whatever the provider returns.
          return { sessionIds: await abandonBatch(dependencies, ref) };
        }
      }),
  };
}

/** Returns true if the provider does not know the batch. */
function isMissing(error: unknown): boolean {
  return error instanceof ModelError && error.kind === 'invalid_request';
}
