import type pg from 'pg';
import { z } from 'zod';
import type { TenantId } from '../../domain/ids.ts';
import type { RecallHit, VectorIndex } from '../../domain/ports/vector-index.ts';

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
