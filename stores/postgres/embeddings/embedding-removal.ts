import { z } from 'zod';
import type { TenantTransaction } from '../connection/database.ts';
import { idsOf } from '../connection/rows.ts';

/** A chunk of forgotten content that must be removed from the vector index. */
export interface RemovableEmbedding {
  readonly id: string;
  readonly model: string;
  readonly memoryId: string;
}

const removableRow = z.object({ id: z.string(), model: z.string(), resource_id: z.string() });

/** Returns the SQL statement that marks the chunks fulfilling `which` for removal. */
export function removalSql(which: string): string {
  return `UPDATE embeddings SET state = 'removing', attempts = 0, error = NULL, failed_at = NULL WHERE ${which}`;
}

/**
 * Requests the removal of all chunks of these memories from the vector index; returns their number. The index step removes them and resumes
 * after interruptions.
 */
export function requestRemoval(transaction: TenantTransaction, memoryIds: readonly string[]): Promise<number> {
  if (memoryIds.length === 0) return Promise.resolve(0);
  return transaction.$executeRawUnsafe(removalSql("resource_id = ANY ($1::uuid[]) AND state <> 'removing'"), memoryIds);
}

/** The oldest chunks of a tenant that are to be removed. */
export async function removableEmbeddings(
  transaction: TenantTransaction,
  limit: number,
): Promise<RemovableEmbedding[]> {
  const rows = await transaction.$queryRaw`
    SELECT id, model, resource_id FROM embeddings WHERE tenant_id = (SELECT current_tenant_id()) AND state = 'removing' ORDER BY id LIMIT ${limit}`;
  return z
    .array(removableRow)
    .parse(rows)
    .map((row) => ({ id: row.id, model: row.model, memoryId: row.resource_id }));
}

/** Returns those of the written chunks that were forgotten meanwhile: their objects must be removed again. */
export async function supersededEmbeddings(
  transaction: TenantTransaction,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await transaction.$queryRaw`
    SELECT wanted::text AS id FROM unnest(${ids}::uuid[]) AS wanted
     WHERE NOT EXISTS (SELECT FROM embeddings e WHERE e.id = wanted AND e.state <> 'removing')`;
  return new Set(idsOf(rows));
}
