/** Ids only: the row and the new database contain the subject and the progress. */
export interface RestoreInput {
  readonly restoreId: string;
}

export type RestoreStep =
  | 'checking'
  | 'copying'
  | 'indexing'
  | 'verifying'
  | 'vectors'
  | 'swapping'
  | 'resuming'
  | 'completed';

export interface RestoreView {
  readonly phase: RestoreStep;
}

export interface CheckedSet {
  readonly backupId: string;
  /** Nothing is built: the set was read through, and that is all. */
  readonly dryRun: boolean;
}

export interface RestoreEnd {
  readonly restoreId: string;
  readonly state: 'completed' | 'failed' | 'cancelled';
  /** Type of the failure, and its words, which name files at most. */
  readonly error: string | null;
  readonly message: string | null;
}

export interface RestoreActivities {
  /** The drill to be done now; null while a restore runs. */
  openDrill(): Promise<RestoreInput | null>;
  /** Whether the set can be restored here; of a dry run, reads all of it. */
  checkSet(input: RestoreInput): Promise<CheckedSet>;
  /** A database of the set's rows, without indexes. */
  copySetIn(input: RestoreInput): Promise<void>;
  /** Its indexes and foreign keys. */
  indexRestored(input: RestoreInput): Promise<void>;
  /** Compares it with the set, brings it up to date, forgets what was erased since. */
  verifyRestored(input: RestoreInput): Promise<void>;
  /** In a drill: loads vectors beside the served ones, and checks that search finds them. In a restore: reads them completely. */
  verifyVectors(input: RestoreInput): Promise<void>;
  /** Puts it in the place of the running one. */
  swapIn(input: RestoreInput): Promise<void>;
  /** Loads vectors, and restarts the workflows that were live. */
  resumeInstance(input: RestoreInput): Promise<void>;
  /** Deletes temporary databases and files, and records how the restore ended. */
  endRestoreRun(input: RestoreEnd): Promise<void>;
}
