import { z } from 'zod';
import type { TenantTransaction } from './database.ts';

/**
 * Has every chunk of these memories written again, because something changed that it bears: its memory's tags, or what had been asked before. One that is
 * under way is written once more. In an index that only stands until it is taken away the chunks are removed.
 */
export async function wantRewrite(transaction: TenantTransaction, memoryIds: readonly string[]): Promise<void> {
  if (memoryIds.length === 0) return;
  // Held, so that a change of the index that fills its ledger at this moment has written its rows before, or reads the memories after.
  await transaction.$executeRaw`SELECT FROM embedding_indexes WHERE tenant_id = (SELECT current_tenant_id()) FOR SHARE`;
  await transaction.$executeRaw`
    UPDATE embeddings e SET revision = revision + 1, attempts = 0, error = NULL, failed_at = NULL,
           state = CASE WHEN EXISTS (SELECT FROM embedding_indexes i WHERE i.tenant_id = e.tenant_id AND i.retired_model = e.model) THEN 'removing'
                        WHEN state = 'filling' THEN 'filling' ELSE 'pending' END
     WHERE e.id IN (SELECT w.id FROM embeddings w WHERE w.resource_id = ANY (${memoryIds}::uuid[]) AND w.state <> 'removing' ORDER BY w.id FOR UPDATE)`;
}

const idRows = z.array(z.object({ id: z.string() }));

/** Ids of what was said and done after the user's prompts that stood at these positions, each up to the next prompt that still stands. */
export async function rowsAskedFor(
  transaction: TenantTransaction,
  sessionId: string,
  promptSeqs: readonly number[],
): Promise<string[]> {
  if (promptSeqs.length === 0) return [];
  const rows = await transaction.$queryRaw`
    SELECT m.id FROM unnest(${promptSeqs}::integer[]) AS asked
     CROSS JOIN LATERAL (
       SELECT coalesce(min(p.seq), 2147483647) AS seq FROM prompts p WHERE p.session_id = ${sessionId}::uuid AND p.type = 'user' AND p.seq > asked) AS next
     CROSS JOIN LATERAL (
       SELECT o.id FROM observations o WHERE o.session_id = ${sessionId}::uuid AND o.seq > asked AND o.seq < next.seq
       UNION ALL
       SELECT q.id FROM prompts q WHERE q.session_id = ${sessionId}::uuid AND q.type <> 'user' AND q.seq > asked AND q.seq < next.seq) AS m`;
  return idRows.parse(rows).map((row) => row.id);
}
