export interface ImportRef {
  readonly tenantId: string;
  /** Id of the row in `imports`, which contains the position and the outcome. */
  readonly importId: string;
}

export interface ImportEnd extends ImportRef {
  readonly state: 'completed' | 'failed' | 'cancelled';
  /** Type of the failure. */
  readonly error: string | null;
}

/** Progress of an import of transcripts. */
export interface TranscriptCounts {
  readonly filesTotal: number;
  readonly filesDone: number;
}

/** Progress of an import of a claude-mem database. */
export interface ClaudeMemCounts {
  readonly rowsTotal: number;
  readonly rowsDone: number;
}

/** Counters with the number of steps so far, over all runs. */
export type ImportView<Counts = TranscriptCounts> = Counts & { readonly steps: number };

/** `more`: there is more to read at once. */
export type ImportStep<Counts = TranscriptCounts> = Counts & { readonly more: boolean };

export interface ImportInput extends ImportRef {
  /** Follows later writes until cancelled. */
  readonly follow: boolean;
  /** State of the previous run. */
  readonly view?: ImportView;
}

export interface ClaudeMemInput extends ImportRef {
  /** State of the previous run. */
  readonly view?: ImportView<ClaudeMemCounts>;
}

export interface WatchResult {
  /** Files that were read. */
  readonly files: number;
  readonly added: number;
  /** Late deliveries that were taken out again. */
  readonly late_duplicates: number;
}

export interface TranscriptActivities {
  /** Reads for half a minute, and commits how far it came. */
  readTranscripts(input: ImportRef): Promise<ImportStep>;
  finishImport(input: ImportEnd): Promise<void>;
  /** Reads what was written to known transcripts since the last time. */
  watchTranscripts(): Promise<WatchResult>;
}

export interface ClaudeMemActivities {
  /** Reads for some minutes, and commits each batch with how far it came. */
  readClaudeMem(input: ImportRef): Promise<ImportStep<ClaudeMemCounts>>;
  finishClaudeMem(input: ImportEnd): Promise<void>;
}
