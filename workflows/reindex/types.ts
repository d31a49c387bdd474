export interface ReindexInput {
  readonly tenantId: string;
}

/** What a change of the index is at: the ledger is filled, vectors are made, the old index still stands, it is taken away. */
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
  /** Does what is next, as the tables say: it may be begun anew at any time. */
  reindexStep(input: ReindexInput): Promise<ReindexStep>;
}
