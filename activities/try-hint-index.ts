import type { TenantId } from '../domain/ids.ts';
import type { WorkflowHints } from '../domain/ports/workflow-hints.ts';

/** Hints a tenant's index workflow. Returns false if Temporal is unavailable: the ledger has the request. */
export async function tryHintIndex(hints: WorkflowHints, tenantId: TenantId): Promise<boolean> {
  try {
    await hints.index(tenantId);
    return true;
  } catch {
    // The step's writes are committed; the sweep resends the hint.
    return false;
  }
}
