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
  /** Sessions whose last waiting chunk was written; at most as many as chunks in a batch. */
  readonly completeSessionIds: readonly string[];
}

export interface IndexActivities {
  embedBatch(input: IndexInput): Promise<EmbedBatchResult>;
}
