/** Signal: end the current wait, that is submit, poll or retry now. */
export const SKIP_WAIT_SIGNAL = 'skipWait';

/** Query: the state of the batch, `ModelBatchView`. */
export const BATCH_STATE_QUERY = 'state';

export interface ModelBatchPolicy {
  /** Time to gather windows, in ms. */
  readonly gatherMs: number;
  /** First pause between two polls of the batch; exponential up to ten minutes. */
  readonly pollMs: number;
  /** First wait while the provider is unavailable; exponential up to ten minutes. */
  readonly retryMs: number;
}

/** State carried over continue-as-new: the due step, and counts. */
export interface ModelBatchState {
  readonly step: 'submit' | 'poll' | 'collect';
  readonly calls: number;
  readonly looks: number;
}

export interface ModelBatchInput {
  readonly tenantId: string;
  readonly batchId: string;
  readonly policy: ModelBatchPolicy;
  readonly state?: ModelBatchState;
}

/** Answer of the `state` query. */
export interface ModelBatchView {
  readonly phase: 'gathering' | 'submitting' | 'waiting' | 'collecting' | 'completed';
  /** Calls that were sent. */
  readonly calls: number;
  /** Calls that were not completed at the last poll. */
  readonly processing: number;
  readonly looks: number;
  /** Reason and end of the wait for the provider; null without a wait. */
  readonly waiting: { readonly reason: string; readonly untilMs: number } | null;
}

export interface BatchRef {
  readonly tenantId: string;
  readonly batchId: string;
}

export interface SubmitResult {
  /** Calls in the provider's batch; 0 if there was nothing to send, and no batch was created. */
  readonly calls: number;
  /** Sessions with a window summarised from cached responses, without the provider. */
  readonly sessionIds: readonly string[];
}

export interface LookResult {
  readonly ended: boolean;
  readonly processing: number;
}

export interface CollectResult {
  /** Sessions of the batch, at most as many as calls: each looks for itself at what is left. */
  readonly sessionIds: readonly string[];
  readonly summarised: number;
  readonly parked: number;
  /** Windows that wait again: expired, cancelled, or refused for a reason that passes. */
  readonly requeued: number;
}

/** Calls of the provider's batches, on the model queue. */
export interface ModelBatchActivities {
  submitBatch(input: BatchRef): Promise<SubmitResult>;
  pollBatch(input: BatchRef): Promise<LookResult>;
  collectBatch(input: BatchRef): Promise<CollectResult>;
  /** Ends the provider's batch and lets its windows wait again. */
  releaseBatch(input: BatchRef): Promise<{ readonly sessionIds: readonly string[] }>;
}
