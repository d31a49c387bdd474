import { z } from 'zod';
import type { TenantTransaction } from '../connection/database.ts';
import { columnOf, idsOf, rowOf } from '../connection/rows.ts';

const removableRow = rowOf({ id: z.string(), model: z.string(), memory_id: z.string() });

/** A chunk of forgotten content that must be removed from the vector index. */
export type RemovableEmbedding = z.output<typeof removableRow>;

/**
 * Returns two entries of a WITH list, which move the chunks fulfilling `which` from the ledger to the removals: `name` has the rows of the chunks, with
 * `tenant_id` and `resource_id`.
 */
export function removalSql(which: string, name = 'removed'): string {
  return `${name} AS (DELETE FROM embeddings WHERE ${which} RETURNING tenant_id, resource_id, id, model, object_id, embedded_hash),
    queued_${name} AS (INSERT INTO embedding_removals (tenant_id, resource_id, id, model, object_id, embedded_hash) SELECT * FROM ${name})`;
}

/**
 * Requests the removal of all chunks of these memories from the vector index; returns their number. The index step removes them and resumes
 * after interruptions.
 */
export async function requestRemoval(transaction: TenantTransaction, memoryIds: readonly string[]): Promise<number> {
  if (memoryIds.length === 0) return 0;
  const rows = await transaction.$queryRawUnsafe<unknown[]>(
    `WITH ${removalSql('resource_id = ANY ($1::uuid[])')} SELECT count(*)::integer AS n FROM removed`,
    memoryIds,
  );
  return columnOf(rows, 'n', z.number())[0] ?? 0;
}

/** Returns the next chunks of a tenant that are to be removed, in the order of their memories. */
export async function removableEmbeddings(
  transaction: TenantTransaction,
  limit: number,
): Promise<RemovableEmbedding[]> {
  const rows = await transaction.$queryRaw`
    SELECT id, model, resource_id AS memory_id FROM embedding_removals WHERE tenant_id = (SELECT current_tenant_id()) ORDER BY resource_id, id LIMIT ${limit}`;
  return z.array(removableRow).parse(rows);
}

/** Returns those of the written chunks that were forgotten meanwhile: their objects must be removed again. */
export async function supersededEmbeddings(
  transaction: TenantTransaction,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await transaction.$queryRaw`
    SELECT wanted::text AS id FROM unnest(${ids}::uuid[]) AS wanted
     WHERE NOT EXISTS (SELECT FROM embeddings e WHERE e.id = wanted)`;
  return new Set(idsOf(rows));
}
