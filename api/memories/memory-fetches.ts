import type { Principal } from '../../stores/postgres/access/principal.ts';
import type { Database, TenantTransaction } from '../../stores/postgres/connection/database.ts';
import { isViewer, viewOf } from '../auth.ts';
import { readServed, readServing, recordUses } from '../../stores/postgres/memories/memory-uses.ts';

/**
 * Counts the caller's fetch of memories that this context served. Never fails: a context that is missing, belongs to another user or did not
 * contain the memory counts nothing, and neither does a viewer.
 */
export async function countFetched(
  transaction: TenantTransaction,
  principal: Principal,
  contextId: string | undefined,
  memoryIds: readonly string[],
): Promise<void> {
  if (contextId === undefined || isViewer(principal)) return;
  const served = await readServed(transaction, contextId, principal.userId);
  const memories = [...new Set(memoryIds.map((id) => id.toLowerCase()))].flatMap((id) => {
    const type = served?.get(id);
    return type === undefined ? [] : [{ id, type }];
  });
  if (memories.length === 0) return;
  await recordUses(transaction, {
    tenantId: principal.tenantId,
    userId: principal.userId,
    contextId,
    kind: 'fetched',
    memories,
    note: null,
  });
}

/**
 * The same without a context id: agents see blocks without ids. Each memory counts for the newest context of the last 12 hours that served
 * it to the caller. Every context has a transaction of its own: learnings are locked in order within one alone.
 */
export async function countFetchedOfNewest(
  database: Database,
  principal: Principal,
  memoryIds: readonly string[],
): Promise<void> {
  const { tenantId, userId } = principal;
  if (isViewer(principal) || memoryIds.length === 0) return;
  const serving = await database.asTenant(viewOf(principal), (transaction) =>
    readServing(transaction, userId, memoryIds, Date.now()),
  );
  for (const [contextId, served] of serving) {
    const memories = [...served].map(([id, type]) => ({ id, type }));
    await database.asTenant(viewOf(principal), (transaction) =>
      recordUses(transaction, { tenantId, userId, contextId, kind: 'fetched', memories, note: null }),
    );
  }
}
