/** Counters only: `retention_runs` and `retention_counts` contain the reports. */
export interface RetentionView {
  /** Runs of tenants. */
  readonly runs: number;
  /** Rows that were counted or treated so far. */
  readonly rows: number;
  readonly steps: number;
}

export interface RetentionInput {
  /** The requested run. */
  readonly runId?: string;
  /** Of the run before this one, with the group that it works on. */
  readonly groupId?: string;
  readonly view?: RetentionView;
}

export interface RetentionStep {
  readonly rows: number;
  /** There is more to do at once. */
  readonly more: boolean;
}

export interface RetentionEnd {
  readonly groupId: string;
  readonly state: 'completed' | 'failed' | 'cancelled';
  /** Type of the failure. */
  readonly error: string | null;
}

export interface ArchiveRestoreInput {
  readonly tenantId: string;
  readonly archiveId: string;
}

export interface RetentionActivities {
  /** Opens a run for every tenant that has policies: a dry run where they changed. */
  openRetention(input: { readonly groupId: string }): Promise<{ readonly runs: number }>;
  /** Counts or processes rows for some seconds, and commits its position. */
  stepRetention(input: { readonly groupId: string }): Promise<RetentionStep>;
  /** Ends the remaining runs of a group, and reports dry runs that wait for a review. */
  finishRetention(input: RetentionEnd): Promise<void>;
  restoreArchived(input: ArchiveRestoreInput): Promise<{ readonly restored: boolean }>;
}
