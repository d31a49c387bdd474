/** Counters only: the table `imports` contains the position in the file and the outcome of the rows. */
export interface ClaudeMemView {
  readonly rowsTotal: number;
  readonly rowsDone: number;
  /** Steps of reading so far, over all runs. */
  readonly steps: number;
}

export interface ClaudeMemInput {
  readonly tenantId: string;
  readonly importId: string;
  /** State of the previous run. */
  readonly view?: ClaudeMemView;
}

export interface ClaudeMemStep {
  readonly rowsTotal: number;
  readonly rowsDone: number;
  /** There is more to read. */
  readonly more: boolean;
}

export interface ClaudeMemEnd {
  readonly tenantId: string;
  readonly importId: string;
  readonly state: 'completed' | 'failed' | 'cancelled';
  /** Type of the failure. */
  readonly error: string | null;
}

export interface ClaudeMemActivities {
  /** Reads for some minutes, and commits each batch with how far it came. */
  readClaudeMem(input: { readonly tenantId: string; readonly importId: string }): Promise<ClaudeMemStep>;
  finishClaudeMem(input: ClaudeMemEnd): Promise<void>;
}
