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
  /** Writes a complete set under this id; first deletes the remains of a failed attempt. */
  createBackup(input: BackupInput & { readonly workflowId: string }): Promise<MadeSet>;
  /** Copies the set off-site and reads it back; does nothing without a second store. */
  copyBackup(input: BackupInput): Promise<{ readonly copied: boolean }>;
  /** Deletes expired sets in both stores. */
  pruneBackups(): Promise<{ readonly removed: number }>;
  /** Reads a set back to its last byte, and records the result. */
  verifyBackup(input: BackupInput): Promise<void>;
  /** Records how the backup ended; deletes an incomplete set. */
  finishBackup(input: BackupEnd): Promise<void>;
}
