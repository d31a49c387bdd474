import type pg from 'pg';
import { z } from 'zod';
import type { TenantId } from '../../domain/ids.ts';
import type { RecallHit, VectorIndex } from '../../domain/ports/vector-index.ts';
import { reportProgress, withHeartbeat } from '../heartbeat.ts';
import { RestoreError } from '../../domain/backup/restore-error.ts';
import { BackupSetError } from '../../domain/backup/set-error.ts';
import { readThrough } from '../backup/read-set.ts';
import type { ReadableSet } from '../backup/read-set.ts';
import { asMaintenance } from '../../stores/postgres/backups/restored-database.ts';
import { indexedTenants, loadVectors, requestMissingVectors } from './vectors-in.ts';
import { noteRestore } from '../../stores/postgres/backups/restores.ts';
import type { RestoreCounts, RestoreResult } from '../../stores/postgres/backups/restores.ts';
import type { RestoreActivities } from '../../workflows/restore/types.ts';
import { progressNoter, contextOf, setOf } from './restore-context.ts';
import type { RestoreDependencies } from './restore-context.ts';

/** From each end of a tenant's ledger. */
const SAMPLE = 10;
const NEIGHBOURS = 10;
/** Cosine similarity of a vector with one that is the same but for rounding: texts that say the same have the same. */
const SAME = 0.9999;
const LOOK_MS = 250;
/** A queue that empties no further is not waited for. */
const STUCK_MS = 60_000;

const sampleRows = z.array(z.object({ object_id: z.string(), resource_id: z.string(), chunk: z.number() }));
type Sample = z.output<typeof sampleRows>[number];

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LOOK_MS));

async function queueEmptied(
  vectors: VectorIndex,
  tenantId: TenantId,
  index: string,
  signal: AbortSignal,
): Promise<void> {
  let shortest = Infinity;
  let since = performance.now();
  for (;;) {
    signal.throwIfAborted();
    const queued = await vectors.queued(tenantId, index);
    if (queued === 0) return;
    if (queued < shortest) {
      reportProgress();
      shortest = queued;
      since = performance.now();
    }
    if (performance.now() - since > STUCK_MS) return;
    await pause();
  }
}

const isItself = ({ resource_id: id, chunk }: Sample, hits: readonly RecallHit[]): boolean =>
  hits.some((hit) => hit.score >= SAME || (hit.memoryId === id && hit.chunk === chunk));

/**
 * Whether a tenant's vectors are found by their vectors: some of them, from both ends of its ledger, are asked for by their own. A server that keeps objects and lost
 * the graph over them answers nothing here. A tenant with no vectors is proved.
 */
export async function areVectorsFound(
  client: pg.Pool | pg.ClientBase,
  vectors: VectorIndex,
  tenantId: TenantId,
  index: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { rows } = await client.query(
    `(SELECT object_id, resource_id, chunk FROM embeddings WHERE tenant_id = $1 AND model = $2 AND state = 'indexed' ORDER BY id LIMIT $3)
     UNION
     (SELECT object_id, resource_id, chunk FROM embeddings WHERE tenant_id = $1 AND model = $2 AND state = 'indexed' ORDER BY id DESC LIMIT $3)`,
    [tenantId, index, SAMPLE],
  );
  const sample = sampleRows.parse(rows);
  if (sample.length === 0) return true;
  await queueEmptied(vectors, tenantId, index, signal);
  const stored = await vectors.vectorsOf(
    tenantId,
    index,
    sample.map((row) => row.object_id),
  );
  for (const row of sample) {
    const vector = stored.get(row.object_id);
    if (vector === undefined) return false;
    reportProgress(signal);
    const hits = await vectors.nearest(tenantId, index, Float32Array.from(vector), {}, NEIGHBOURS);
    if (!isItself(row, hits)) return false;
  }
  return true;
}

/** Wants every vector of a tenant's index again: its index workflow writes them anew. Answers how many. */
export async function requestAll(client: pg.Pool | pg.ClientBase, tenantId: TenantId, index: string): Promise<number> {
  const result = await client.query(
    "UPDATE embeddings SET state = 'pending', revision = revision + 1 WHERE tenant_id = $1 AND model = $2 AND state = 'indexed'",
    [tenantId, index],
  );
  return result.rowCount ?? 0;
}

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
