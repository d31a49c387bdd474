import type { TenantId } from '../domain/ids.ts';
import type { WorkflowHints } from '../domain/ports/workflow-hints.ts';

/** Tells a tenant's index workflow that vectors are wanted. False where Temporal did not take it: the ledger still holds what is wanted. */
export async function tryHintIndex(hints: WorkflowHints, tenantId: TenantId): Promise<boolean> {
  try {
    await hints.index(tenantId);
    return true;
  } catch {
    // Not this step's failure: what it wrote is committed, and the sweep finds vectors that wait too long.
    return false;
  }
}
