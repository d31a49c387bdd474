import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import { entriesOf } from '../../stores/postgres/erasure/erasure-journal.ts';
import { failErasure, readErasure } from '../../stores/postgres/erasure/erasures.ts';
import type { ErasureActivities, ErasureStep } from '../../workflows/erasure/types.ts';
import { withHeartbeat } from '../heartbeat.ts';
import type { ErasureDependencies } from './journal.ts';
import { eraseFiles, eraseVectors } from './files-and-vectors.ts';
import { findAndJournal } from './find.ts';
import { writeToJournal } from './journal.ts';
import { verifyErased } from './verify.ts';
import { eraseRows } from './rows.ts';

/** Wait before the next look for vectors that were just being written. */
const LOOK_AGAIN_MS = 1_000;

/** Steps of erasures. Each resumes from the phase in the erasure's row. */
export function createErasureActivities(dependencies: ErasureDependencies): ErasureActivities {
  const { database, scope } = dependencies;
  return {
    eraseNext: (input) =>
      withHeartbeat(async (signal): Promise<ErasureStep> => {
        const tenantId = asId<TenantId>(input.tenantId);
        const erasure = await scope.asTenant(tenantId, (transaction) => readErasure(transaction, input.erasureId));
        if (erasure === null || erasure.state !== 'running') return { phase: 'completed', waitMs: 0 };
        switch (erasure.phase) {
          case 'queued':
            await findAndJournal(dependencies, erasure, signal);
            return { phase: 'journalled', waitMs: 0 };
          case 'journalled':
            await eraseRows(dependencies, erasure, signal);
            return { phase: 'rows', waitMs: 0 };
          case 'rows': {
            const remaining = await eraseVectors(dependencies, erasure, signal);
            return remaining === 0 ? { phase: 'vectors', waitMs: 0 } : { phase: 'rows', waitMs: LOOK_AGAIN_MS };
          }
          case 'vectors':
            await eraseFiles(dependencies, erasure, signal);
            return { phase: 'files', waitMs: 0 };
          case 'files':
            return (await verifyErased(dependencies, erasure, signal))
              ? { phase: 'completed', waitMs: 0 }
              : { phase: 'journalled', waitMs: LOOK_AGAIN_MS };
          case 'completed':
            return { phase: 'completed', waitMs: 0 };
        }
      }),
    endErasure: ({ tenantId, erasureId, state, error }) =>
      withHeartbeat(async (signal) => {
        const tenant = asId<TenantId>(tenantId);
        const erasure = await database.asTenant(tenant, (transaction) => readErasure(transaction, erasureId));
        // A restore must not repeat an erasure that was cancelled before it erased anything.
        const isWithdrawn =
          erasure?.state === 'running' && erasure.phase === 'queued' && erasure.counts['rounds'] === undefined;
        if (isWithdrawn && (await entriesOf(dependencies.maintenance, erasureId)).length > 0)
          await writeToJournal(
            dependencies,
            { kind: 'withdrawn', erasure_id: erasureId },
            new Date(dependencies.now()),
            signal,
          );
        await database.asTenant(tenant, (transaction) => failErasure(transaction, erasureId, state, error));
      }),
  };
}
