export interface ReindexInput {
  readonly tenantId: string;
}

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
  reindexStep(input: ReindexInput): Promise<ReindexStep>;
}
