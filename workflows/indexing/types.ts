/** Signal: vectors were requested. Without payload: the ledger lists them. */
export const INDEX_HINT_SIGNAL = 'hint';

export interface IndexInput {
  readonly tenantId: string;
}

export interface EmbedBatchResult {
  /** Chunks written by this call. */
  readonly indexed: number;
  /** Chunks that the vector index refused. */
  readonly refused: number;
  /** More chunks are waiting. */
  readonly more: boolean;
}

export interface IndexActivities {
  embedBatch(input: IndexInput): Promise<EmbedBatchResult>;
}

/** Signal: run the next step now, after a request or a change of settings. */
export const WAKE_SIGNAL = 'wake';

/** Phase of an index change: fill the ledger, embed, retain the old index, remove it. */
export type ReindexPhase = 'filling' | 'embedding' | 'grace' | 'removing' | 'completed';

export interface ReindexView {
  readonly phase: ReindexPhase;
  /** Type of the failure that the new index waits for the end of. */
  readonly waiting: string | null;
}

export interface ReindexStep extends ReindexView {
  /** Until the next look. */
  readonly waitMs: number;
}

export interface ReindexActivities {
  /** Runs the next step according to the tables; idempotent. */
  reindexStep(input: IndexInput): Promise<ReindexStep>;
}
