import type { TenantId } from '../ids.ts';

/** Signals workflows that work is pending. Hints may be lost: the sweep finds the pending work. Rejects if Temporal is unavailable. */
export interface WorkflowHints {
  /** Starts the session's workflow, or wakes it. One that starts for a back-fill is served after sessions in progress. */
  session(tenantId: TenantId, sessionId: string, options?: { readonly isBackfill: boolean }): Promise<void>;
  /** Starts the tenant's index workflow, or wakes it. */
  index(tenantId: TenantId): Promise<void>;
  /** Starts the workflow that rebuilds the tenant's index, or wakes it. */
  reindex(tenantId: TenantId): Promise<void>;
  /** Starts the workflow of a tenant's provider batch, or wakes it; `full`: gathering longer gains nothing. */
  modelBatch(
    tenantId: TenantId,
    batch: { readonly id: string; readonly n: number; readonly full: boolean },
  ): Promise<void>;
}
