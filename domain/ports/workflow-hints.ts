import type { TenantId } from '../ids.ts';

/** Tells workflows that there is something to do. Telling is lossy by design: the sweep finds what was never told. */
export interface WorkflowHints {
  /** Starts the session's workflow, or wakes it. Rejects when Temporal is away. */
  session(tenantId: TenantId, sessionId: string): Promise<void>;
  /** Starts the tenant's index workflow, or wakes it. Rejects when Temporal is away. */
  index(tenantId: TenantId): Promise<void>;
  /** Starts the workflow that changes the tenant's index, or has it look again. Rejects when Temporal is away. */
  reindex(tenantId: TenantId): Promise<void>;
  /** Starts the workflow of a tenant's provider batch, or wakes it: `full`, that gathering longer gains nothing. Rejects when Temporal is away. */
  modelBatch(
    tenantId: TenantId,
    batch: { readonly id: string; readonly n: number; readonly full: boolean },
  ): Promise<void>;
}
