export interface SweepResult {
  /** Sessions whose hint was resent. */
  readonly sessions: number;
  /** Tenants whose index hint was resent. */
  readonly tenants: number;
}

/** Counts of one tenant. */
export interface TenantConsolidation {
  /** Projects (with their namespaces) read. */
  readonly scopes: number;
  /** Learnings closed as duplicates. */
  readonly duplicates: number;
  /** Learnings closed because another one refines or contradicts them. */
  readonly superseded: number;
  /** Learnings whose use or confidence was decayed. */
  readonly decayed: number;
  /** Deleted entities without references, and relations without evidence. */
  readonly pruned: number;
}

/** Results of one run over all tenants. */
export interface ConsolidationResult extends TenantConsolidation {
  /** Tenants that were skipped after a failure. */
  readonly failed: number;
}

export interface StatisticsResult {
  readonly tenants: number;
  /** Tenants that were skipped after a failure. */
  readonly failed: number;
  /** Stored figures. */
  readonly figures: number;
}

/** Results of one verification of the audit logs of all tenants. */
export interface AuditResult {
  readonly tenants: number;
  /** Recomputed rows. */
  readonly rows: number;
  /** Tenants whose log has a fault. */
  readonly faults: number;
  /** Tenants that were skipped after a failure, and the anchors of the backups if no store could be read. */
  readonly failed: number;
}

/** State carried over continue-as-new by a run over all tenants. */
export interface TenantsState<Totals> {
  /** The last tenant of the previous run. */
  readonly after: string | null;
  readonly totals: Totals;
}

/** Carried state of statistics: a run that passes midnight stores the day of its start. */
export interface StatisticsState extends TenantsState<StatisticsResult> {
  /** UTC, as 2026-01-31. */
  readonly day: string;
}

/** Short, frequent steps, on the sweeps queue. */
export interface MaintenanceActivities {
  sweepCaptures(): Promise<SweepResult>;
  ensurePartitions(): Promise<{ readonly created: number }>;
  /** Alerts the admins of tenants with a request about personal data that is overdue or due soon, once a day. */
  alertDeadlines(): Promise<{ readonly alerts: number }>;
  /** Ids of tenants after this one, in order. */
  tenantsAfter(input: { readonly after: string | null; readonly limit: number }): Promise<readonly string[]>;
}

export interface ConsolidationActivities {
  consolidate(input: { readonly tenantId: string }): Promise<TenantConsolidation>;
}

export interface AuditActivities {
  /** Records the anchors in the manifests of the stored backups. */
  collectAuditAnchors(): Promise<{ readonly manifests: number; readonly unreadable: number }>;
  /** Verifies the audit log of a tenant; a fault alerts its admins. */
  verifyAuditLog(input: { readonly tenantId: string }): Promise<{
    readonly checked: number;
    readonly isIntact: boolean;
  }>;
}

export interface StatisticsActivities {
  /** Stores figures of a tenant, or of the instance (null), and returns their number; repeated on the same day replaces them. */
  takeStatistics(input: { readonly tenantId: string | null; readonly day: string }): Promise<number>;
}
