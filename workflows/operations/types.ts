export interface SweepResult {
  /** Sessions whose hint was resent. */
  readonly sessions: number;
  /** Tenants whose index hint was resent. */
  readonly tenants: number;
}

export interface MaintenanceActivities {
  sweepCaptures(): Promise<SweepResult>;
  ensurePartitions(): Promise<{ readonly created: number }>;
}
