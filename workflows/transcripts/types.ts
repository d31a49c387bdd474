/** Counters only: the tables `imports` and `transcript_files` contain the files and positions. */
export interface ImportView {
  readonly filesTotal: number;
  readonly filesDone: number;
  /** Steps of reading so far, over all runs. */
  readonly steps: number;
}

export interface ImportInput {
  readonly tenantId: string;
  readonly importId: string;
  /** Follows later writes until cancelled. */
  readonly follow: boolean;
  /** State of the previous run. */
  readonly view?: ImportView;
}

export interface ImportStep {
  readonly filesTotal: number;
  readonly filesDone: number;
  /** There is more to read at once. */
  readonly more: boolean;
}

export interface ImportEnd {
  readonly tenantId: string;
  readonly importId: string;
  readonly state: 'completed' | 'failed' | 'cancelled';
  /** Type of the failure. */
  readonly error: string | null;
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
  readTranscripts(input: { readonly tenantId: string; readonly importId: string }): Promise<ImportStep>;
  finishImport(input: ImportEnd): Promise<void>;
  /** Reads what was written to known transcripts since the last time. */
  watchTranscripts(): Promise<WatchResult>;
}
