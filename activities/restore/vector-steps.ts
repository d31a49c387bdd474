import type pg from 'pg';
import { z } from 'zod';
import type { TenantId } from '../../domain/ids.ts';
import type { IndexHit, VectorIndex } from '../../domain/ports/vector-index.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { isAmong, SAME, unfoundSamples } from '../sampled-vectors.ts';
import type { Sample } from '../sampled-vectors.ts';
import { queueEmptied } from '../vector-queue.ts';
import { RestoreError } from '../../domain/backup/sets.ts';
import { BackupSetError } from '../../domain/backup/sets.ts';
import { readThrough } from '../backup/read-set.ts';
import type { ReadableSet } from '../backup/read-set.ts';
import { rowOf } from '../../stores/postgres/connection/rows.ts';
import { asMaintenance } from '../../stores/postgres/backups/restored-database.ts';
import { indexedTenants, loadVectors, requestMissingVectors } from './vectors-in.ts';
import { noteRestore } from '../../stores/postgres/backups/restores.ts';
import type { RestoreCounts, RestoreResult } from '../../stores/postgres/backups/restores.ts';
import type { RestoreActivities } from '../../workflows/restore/types.ts';
import { progressNoter, contextOf, setOf } from './restore-context.ts';
import type { RestoreDependencies } from './restore-context.ts';

/** Samples from each end of a tenant's ledger. */
const SAMPLE = 10;
const sampleRows = z.array(rowOf({ object_id: z.string() }));

/** An equal vector proves the graph as well. */
function isFindable(hits: readonly IndexHit[], sample: Sample): boolean {
  return hits.some((hit) => hit.score >= SAME) || isAmong(hits, sample);
}

/**
 * Returns true if searches by a tenant's own vectors, sampled from both ends of its ledger, find them, or if it has none. Fails for a server
 * that lost the graph over its objects.
 */
export async function areVectorsFound(
  client: pg.Pool | pg.ClientBase,
  vectors: VectorIndex,
  tenantId: TenantId,
  index: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { rows } = await client.query(
    `(SELECT object_id FROM embeddings WHERE tenant_id = $1 AND model = $2 AND state = 'indexed' ORDER BY id LIMIT $3)
     UNION
     (SELECT object_id FROM embeddings WHERE tenant_id = $1 AND model = $2 AND state = 'indexed' ORDER BY id DESC LIMIT $3)`,
    [tenantId, index, SAMPLE],
  );
  const samples = sampleRows.parse(rows);
  if (samples.length === 0) return true;
  await queueEmptied(vectors, tenantId, index, signal);
  return (await unfoundSamples(vectors, tenantId, index, samples, isFindable, signal)).length === 0;
}

/** Requests every vector of a tenant's index again; returns their number. */
export async function requestAll(client: pg.Pool | pg.ClientBase, tenantId: TenantId, index: string): Promise<number> {
  const result = await client.query(
    "UPDATE embeddings SET state = 'pending', revision = revision + 1 WHERE tenant_id = $1 AND model = $2 AND state = 'indexed'",
    [tenantId, index],
  );
  return result.rowCount ?? 0;
}

type VectorResult = NonNullable<RestoreResult['vectors']>;

/**
 * Loads a backup's vectors, requests those that the ledger lists and the index lacks, and verifies the rest by search. An index that fails is
 * requested completely. `set` is null if no backup is readable.
 */
export async function loadAndVerify(
  client: pg.Pool | pg.ClientBase,
  vectors: VectorIndex,
  set: ReadableSet | null,
  note: (counts: RestoreCounts) => void,
  signal: AbortSignal,
): Promise<VectorResult> {
  let objects = 0;
  const loadable = set === null ? [] : set.manifest.vectors.map((index) => ({ from: set, index }));
  for (const { from, index } of loadable)
    try {
      await loadVectors(client, from, index, vectors, (count) => note({ vectors_done: (objects += count) }), signal);
    } catch (error) {
      // The verified tables contain the texts: unreadable vectors are embedded again.
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

/** The step before the swap: a drill loads and searches its vectors, a restore reads them through. */
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
          throw new RestoreError(
            'unproved',
            `vectors of ${vectors.unproved} indexes are not found by searches for themselves`,
          );
      }),
  };
}
