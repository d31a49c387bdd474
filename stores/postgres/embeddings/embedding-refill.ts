import { z } from 'zod';
import type { TenantTransaction } from '../connection/database.ts';
import type { TenantIndexes } from './embedding-indexes.ts';

/** Requests a rewrite of all objects of the served index, from the beginning: for a vector index that lost its data. */
export async function requestRefill(transaction: TenantTransaction): Promise<void> {
  // Full milliseconds, the precision of the callers.
  await transaction.$executeRaw`
    UPDATE embedding_indexes SET rewrite_before = date_trunc('milliseconds', now()), rewrite_after = NULL WHERE tenant_id = (SELECT current_tenant_id())`;
}

const idRows = z.array(z.object({ id: z.string(), resource_id: z.string() }));

/**
 * Requests that the next `memories` memories of the served index are written again, from their texts and cached vectors, and records the position. Chunks
 * written since the refill was requested are skipped. Returns false at the end.
 */
export async function refillNext(
  transaction: TenantTransaction,
  { serving, rewrite }: Pick<TenantIndexes, 'serving' | 'rewrite'>,
  memories: number,
): Promise<boolean> {
  if (rewrite === null) return false;
  const { before, after } = rewrite;
  const rows = idRows.parse(
    await transaction.$queryRaw`
      SELECT id, resource_id FROM embeddings
       WHERE tenant_id = (SELECT current_tenant_id()) AND model = ${serving.name} AND chunk = 0 AND id > coalesce(${after}::uuid, '00000000-0000-0000-0000-000000000000')
       ORDER BY id LIMIT ${memories}`,
  );
  await transaction.$executeRaw`
    UPDATE embeddings SET state = 'filling', indexed_at = NULL
     WHERE id IN (SELECT id FROM embeddings WHERE resource_id = ANY (${rows.map((row) => row.resource_id)}::uuid[]) AND model = ${serving.name}
                     AND state = 'indexed' AND (indexed_at IS NULL OR indexed_at < ${before}) ORDER BY id FOR UPDATE)`;
  const more = rows.length === memories;
  // A request that was made meanwhile starts from the beginning.
  await transaction.$executeRaw`
    UPDATE embedding_indexes SET rewrite_before = CASE WHEN ${more} THEN rewrite_before END, rewrite_after = CASE WHEN ${more} THEN ${rows.at(-1)?.id ?? null}::uuid END
     WHERE tenant_id = (SELECT current_tenant_id()) AND rewrite_before = ${before}`;
  return more;
}
