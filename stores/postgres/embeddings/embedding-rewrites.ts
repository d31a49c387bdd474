import type { TenantTransaction } from '../connection/database.ts';
import { idsOf } from '../connection/rows.ts';
import { z } from 'zod';
import type { TenantIndexes } from './embedding-indexes.ts';
import { removalSql } from './embedding-removal.ts';

const IS_RETIRED =
  'EXISTS (SELECT FROM embedding_indexes i WHERE i.tenant_id = w.tenant_id AND i.retired_model = w.model)';

/** Returns entries of a WITH list, which rewrite every chunk of the memories in `ids` (an array in SQL). Chunks of a retired index are removed. */
export function rewriteSql(ids: string): string {
  const which = (condition: string): string =>
    `id IN (SELECT w.id FROM embeddings w WHERE w.resource_id = ANY (${ids}) AND ${condition} ORDER BY w.id FOR UPDATE)`;
  return `${removalSql(which(IS_RETIRED), 'retired')}, rewritten AS (UPDATE embeddings e SET revision = revision + 1, attempts = 0, error = NULL, failed_at = NULL,
           state = CASE WHEN state = 'filling' THEN 'filling' ELSE 'pending' END
     WHERE ${which(`NOT ${IS_RETIRED}`)})`;
}

/** Rows after a user's prompt up to the next one, as `m`: to be joined to the prompt's session and position. */
export function rowsAfterPromptSql(session: string, seq: string): string {
  return `CROSS JOIN LATERAL (
       SELECT coalesce(min(p.seq), 2147483647) AS seq FROM prompts p WHERE p.session_id = ${session} AND p.type = 'user' AND p.seq > ${seq}) AS next
     CROSS JOIN LATERAL (
       SELECT o.id FROM observations o WHERE o.session_id = ${session} AND o.seq > ${seq} AND o.seq < next.seq
       UNION ALL
       SELECT q.id FROM prompts q WHERE q.session_id = ${session} AND q.type <> 'user' AND q.seq > ${seq} AND q.seq < next.seq) AS m`;
}

/**
 * Requests that every chunk of these memories is written again, because the memory's tags or the preceding prompt changed. A chunk that is being
 * written is written once more.
 */
export async function requestRewrite(transaction: TenantTransaction, memoryIds: readonly string[]): Promise<void> {
  if (memoryIds.length === 0) return;
  // Locked: a change of the index has filled its ledger before, or reads the memories after.
  await transaction.$executeRaw`SELECT FROM embedding_indexes WHERE tenant_id = (SELECT current_tenant_id()) FOR SHARE`;
  await transaction.$executeRawUnsafe(`WITH ${rewriteSql('$1::uuid[]')} SELECT`, memoryIds);
}

/** Returns the ids of the rows after the user's prompts at these positions, each up to the next prompt. */
export async function rowsAfterPrompts(
  transaction: TenantTransaction,
  sessionId: string,
  promptSeqs: readonly number[],
): Promise<string[]> {
  if (promptSeqs.length === 0) return [];
  const rows = await transaction.$queryRawUnsafe(
    `SELECT m.id FROM unnest($2::integer[]) AS prompt_seq ${rowsAfterPromptSql('$1::uuid', 'prompt_seq')}`,
    sessionId,
    promptSeqs,
  );
  return idsOf(rows);
}

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
