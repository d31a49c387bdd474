import type { TenantId } from '../domain/ids.ts';
import type { VectorIndex } from '../domain/ports/vector-index.ts';
import type { Database } from '../stores/postgres/connection/database.ts';
import { deleteRemoved } from '../stores/postgres/embeddings/embedding-cache.ts';
import { removableEmbeddings } from '../stores/postgres/embeddings/embedding-removal.ts';

/** Chunks per removal. */
const REMOVED_AT_ONCE = 500;

/**
 * Removes the next forgotten chunks from the vector index, then from the removals and the cache: a kill in between costs a second removal only. Returns
 * true if more may wait.
 */
export async function removeVectors(
  scope: Pick<Database, 'asTenant'>,
  vectors: VectorIndex,
  tenantId: TenantId,
): Promise<boolean> {
  const removable = await scope.asTenant(tenantId, (transaction) => removableEmbeddings(transaction, REMOVED_AT_ONCE));
  if (removable.length === 0) return false;
  for (const [model, chunks] of Map.groupBy(removable, (chunk) => chunk.model))
    await vectors.remove(tenantId, model, [...new Set(chunks.map((chunk) => chunk.memoryId))]);
  await scope.asTenant(tenantId, (transaction) => deleteRemoved(transaction, removable));
  return removable.length === REMOVED_AT_ONCE;
}
