/** Counters only: what goes and why stands in `retention_runs` and `retention_counts`. */
export interface RetentionView {
  /** Runs of tenants. */
  readonly runs: number;
  /** Rows that were counted or treated so far. */
  readonly rows: number;
  readonly steps: number;
}

export interface RetentionInput {
  /** The run that somebody asked for. */
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
  /** Counts, or treats, for some seconds, and commits how far it came. */
  stepRetention(input: { readonly groupId: string }): Promise<RetentionStep>;
  /** Ends what is left of a group, and tells of dry runs that wait to be looked at. */
  finishRetention(input: RetentionEnd): Promise<void>;
  restoreArchived(input: ArchiveRestoreInput): Promise<{ readonly restored: boolean }>;
}
