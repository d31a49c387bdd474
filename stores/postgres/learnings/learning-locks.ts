import type { TenantTransaction } from '../connection/database.ts';

/**
 * Locks the learnings of these ids and fingerprints, and their successors, in the order of ids. Uses, consolidation and users do the same, which
 * prevents deadlocks.
 */
export async function lockKnown(
  transaction: TenantTransaction,
  tenantId: string,
  ids: readonly string[],
  prints: readonly Uint8Array[],
): Promise<void> {
  await transaction.$executeRaw`
    WITH RECURSIVE chain AS (
      SELECT id, superseded_by FROM learnings WHERE id = ANY (${ids}::uuid[])
      UNION SELECT id, superseded_by FROM learnings WHERE tenant_id = ${tenantId}::uuid AND fingerprint = ANY (${prints}::bytea[])
      UNION SELECT l.id, l.superseded_by FROM chain JOIN learnings l ON l.id = chain.superseded_by)
    SELECT FROM learnings WHERE id IN (SELECT id FROM chain) ORDER BY id FOR UPDATE`;
}
