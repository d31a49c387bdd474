import type pg from 'pg';
import { BackupSetError, RestoreError } from '../../domain/backup/set-error.ts';
import type { VectorIndex } from '../../domain/ports/vector-index.ts';
import { areVectorsFound, requestAll } from './verify-vectors.ts';
import { readThrough } from '../backup/read-set.ts';
import type { ReadableSet } from '../backup/read-set.ts';
import { asMaintenance } from '../../stores/postgres/backups/restored-database.ts';
import { indexedTenants, loadVectors, requestMissingVectors } from './vectors-in.ts';
import { noteRestore } from '../../stores/postgres/backups/restores.ts';
import type { RestoreCounts, RestoreResult } from '../../stores/postgres/backups/restores.ts';
import type { RestoreActivities } from '../../workflows/restore/types.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { progressNoter } from './progress-noter.ts';
import { contextOf, setOf } from './restore-context.ts';
import type { RestoreDependencies } from './restore-context.ts';

type VectorResult = NonNullable<RestoreResult['vectors']>;

/**
 * Loads a set's vectors, looks for what the ledger has and the index does not, and proves the rest by asking. What is missing is wanted again, and all of an index
 * whose vectors are not found by themselves. Null: there is no set that could be read.
 */
export async function loadAndVerify(
  client: pg.Pool | pg.ClientBase,
  vectors: VectorIndex,
  set: ReadableSet | null,
  note: (counts: RestoreCounts) => void,
  signal: AbortSignal,
): Promise<VectorResult> {
  let objects = 0;
  const kept = set === null ? [] : set.manifest.vectors.map((index) => ({ from: set, index }));
  for (const { from, index } of kept)
    try {
      await loadVectors(client, from, index, vectors, (count) => note({ vectors_done: (objects += count) }), signal);
    } catch (error) {
      // The tables are proved and hold the texts: vectors that cannot be read any more are made anew.
      if (!(error instanceof BackupSetError)) throw error;
    }
  const indexes = await indexedTenants(client);
  let pending = 0;
  let unproved = 0;
  for (const { tenantId, index } of indexes) {
    pending += await requestMissingVectors(client, vectors, tenantId, index, signal);
    if (await areVectorsFound(client, vectors, tenantId, index, signal)) continue;
    unproved += 1;
    pending += await requestAll(client, tenantId, index);
  }
  return { tenants: new Set(indexes.map(({ tenantId }) => tenantId)).size, objects, pending, unproved };
}

/** The step before the swap: a drill's vectors are loaded and asked for, a restore's are read through. */
export function vectorSteps(dependencies: RestoreDependencies): Pick<RestoreActivities, 'verifyVectors'> {
  const { maintenance, drillVectors } = dependencies;
  return {
    verifyVectors: ({ restoreId }) =>
      withHeartbeat(async (signal) => {
        const { work, server, names } = await contextOf(dependencies, restoreId);
        await noteRestore(maintenance, restoreId, 'vectors');
        const set = await setOf(dependencies, work, signal);
        if (work.kind === 'restore') {
          const files = set.manifest.vectors.flatMap((index) => index.files);
          await readThrough(set, files, () => undefined, signal);
          return;
        }
        const started = performance.now();
        await drillVectors.dropAll();
        const note = progressNoter((counts) => noteRestore(maintenance, restoreId, 'vectors', { counts }));
        const vectors = await asMaintenance(server, names.built, (client) =>
          loadAndVerify(client, drillVectors, set, note, signal),
        );
        const seconds = { ...work.result?.seconds, vectors: Math.round(performance.now() - started) / 1_000 };
        await noteRestore(maintenance, restoreId, 'vectors', { result: { vectors, seconds } });
        if (vectors.unproved > 0)
          throw new RestoreError('unproved', `vectors of ${vectors.unproved} indexes are not found by themselves`);
      }),
  };
}
