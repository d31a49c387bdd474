import type pg from 'pg';
import type { TenantId } from '../../domain/ids.ts';
import { VectorIndexUnavailable } from '../../domain/ports/vector-index.ts';
import type { VectorIndex } from '../../domain/ports/vector-index.ts';
import { lastIndexed, requestAgain } from '../../stores/postgres/connection/maintenance.ts';

/** Of one sweep; as many as are embedded in five minutes on a small machine. */
const MAX_CHUNKS = 20_000;
const CHUNKS_OF_ONE_QUESTION = 500;

/**
 * Asks the vector index for what it took in the last minutes, and wants again what it does not have: a server that is killed may have
 * acknowledged what it had not written yet. An index that is away is asked by the next sweep.
 */
export async function findLostVectors(maintenance: pg.Pool, vectors: VectorIndex, signal: AbortSignal): Promise<void> {
  const groups = new Map<string, { readonly tenantId: TenantId; readonly model: string; readonly ids: string[] }>();
  for (const { tenantId, model, objectId } of await lastIndexed(maintenance, MAX_CHUNKS)) {
    const name = `${tenantId} ${model}`;
    const group = groups.get(name) ?? { tenantId, model, ids: [] };
    groups.set(name, group);
    group.ids.push(objectId);
  }
  try {
    for (const { tenantId, model, ids } of groups.values()) {
      for (let from = 0; from < ids.length; from += CHUNKS_OF_ONE_QUESTION) {
        signal.throwIfAborted();
        const asked = ids.slice(from, from + CHUNKS_OF_ONE_QUESTION);
        const standing = await vectors.standing(tenantId, model, asked);
        const lost = asked.filter((id) => !standing.has(id));
        await requestAgain(maintenance, tenantId, model, lost);
      }
    }
  } catch (error) {
    if (!(error instanceof VectorIndexUnavailable)) throw error;
  }
}
