import type { TenantId } from '../ids.ts';

/** Tells workflows that there is something to do. Telling is lossy by design: the sweep finds what was never told. */
export interface WorkflowHints {
  /** Starts the session's workflow, or wakes it. Rejects when Temporal is away. */
  session(tenantId: TenantId, sessionId: string): Promise<void>;
  /** Starts the tenant's index workflow, or wakes it. Rejects when Temporal is away. */
  index(tenantId: TenantId): Promise<void>;
}
