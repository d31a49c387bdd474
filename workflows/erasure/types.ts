export interface ErasureInput {
  readonly tenantId: string;
  readonly erasureId: string;
}

/** Last completed phase of an erasure: none, journal entry, rows, vectors, files; `done` with the receipt. */
export type ErasureStage = 'queued' | 'journalled' | 'rows' | 'vectors' | 'files' | 'completed';

export interface ErasureView {
  readonly phase: ErasureStage;
}

export interface ErasureStep extends ErasureView {
  /** Until the next step. */
  readonly waitMs: number;
}

export interface ErasureActivities {
  /** Runs the next step according to the row of the erasure; idempotent. */
  eraseNext(input: ErasureInput): Promise<ErasureStep>;
  /** Ends an erasure that was cancelled before its start, or that cannot continue. */
  endErasure(
    input: ErasureInput & { readonly state: 'failed' | 'cancelled'; readonly error: string | null },
  ): Promise<void>;
}
