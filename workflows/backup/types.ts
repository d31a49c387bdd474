/** Nothing is given by the schedule: the set then takes the id of the run. */
export interface BackupInput {
  readonly backupId: string;
}

/** A backup is created, old ones are pruned, it is copied off-site. */
export type BackupPhase = 'creating' | 'copying' | 'pruning' | 'completed';

export interface BackupView {
  readonly backupId: string;
  readonly phase: BackupPhase;
}

export interface BackupEnd extends BackupInput {
  readonly state: 'completed' | 'failed' | 'cancelled';
  /** Type of the failure. */
  readonly error: string | null;
}

export interface MadeSet {
  readonly files: number;
  readonly rows: number;
  readonly vectors: number;
  readonly bytes: number;
}

export interface BackupActivities {
  /** Writes one whole set under this id; what an attempt left that died is taken away first. */
  createBackup(input: BackupInput & { readonly workflowId: string }): Promise<MadeSet>;
  /** Copies the set off-site and reads it back; nothing where no second store is set. */
  copyBackup(input: BackupInput): Promise<{ readonly copied: boolean }>;
  /** Takes away sets that are too old, in both stores. */
  pruneBackups(): Promise<{ readonly removed: number }>;
  /** Reads a set back to its last byte, and notes what was found. */
  verifyBackup(input: BackupInput): Promise<void>;
  /** Says how it ended; of one that was not made whole nothing is left. */
  finishBackup(input: BackupEnd): Promise<void>;
}
