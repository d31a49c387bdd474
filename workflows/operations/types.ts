export interface SweepResult {
  /** Sessions whose workflow was told again. */
  readonly sessions: number;
  /** Tenants whose index workflow was told again. */
  readonly tenants: number;
}

export interface MaintenanceActivities {
  sweepCaptures(): Promise<SweepResult>;
  ensurePartitions(): Promise<{ readonly created: number }>;
}
