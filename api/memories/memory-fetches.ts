import type { Principal } from '../../stores/postgres/access/api-keys.ts';
import type { Database, TenantTransaction } from '../../stores/postgres/connection/database.ts';
import { isViewer } from '../auth.ts';
import { readServed, readServing, recordUses } from '../../stores/postgres/memories/memory-uses.ts';

/**
 * Counts the fetch of memories that this context served to whom they are fetched by. Reading never fails for it: a context that is gone, is
 * another user's or did not hold a memory counts nothing, and neither does a viewer.
 */
export async function countFetched(
  transaction: TenantTransaction,
  holder: Principal,
  contextId: string | undefined,
  memoryIds: readonly string[],
): Promise<void> {
  if (contextId === undefined || isViewer(holder)) return;
  const served = await readServed(transaction, contextId, holder.userId);
  const memories = [...new Set(memoryIds.map((id) => id.toLowerCase()))].flatMap((id) => {
    const type = served?.get(id);
    return type === undefined ? [] : [{ id, type }];
  });
  if (memories.length === 0) return;
  await recordUses(transaction, {
    tenantId: holder.tenantId,
    userId: holder.userId,
    contextId,
    kind: 'fetched',
    memories,
    note: null,
  });
}

/**
 * The same where nobody says which context it was: agents see blocks without ids. Each memory counts for the newest context that its fetcher was
 * given it in, of the last 12 hours. Every context has a transaction of its own: learnings are locked in order within one alone.
 */
export async function countFetchedOfNewest(
  database: Database,
  holder: Principal,
  memoryIds: readonly string[],
): Promise<void> {
  const { tenantId, userId } = holder;
  if (isViewer(holder) || memoryIds.length === 0) return;
  const serving = await database.asTenant(tenantId, (transaction) =>
    readServing(transaction, userId, memoryIds, Date.now()),
  );
  for (const [contextId, served] of serving) {
    const memories = [...served].map(([id, type]) => ({ id, type }));
    await database.asTenant(tenantId, (transaction) =>
      recordUses(transaction, { tenantId, userId, contextId, kind: 'fetched', memories, note: null }),
    );
  }
}
