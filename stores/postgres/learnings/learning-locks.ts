import type { TenantTransaction } from '../connection/database.ts';

/**
 * Locks the learnings of these ids and fingerprints, with what stands in their place, in the order of ids: so do uses, consolidation and people, and
 * two that wait for each other's would be a deadlock.
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
