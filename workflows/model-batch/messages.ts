export const MODEL_BATCH_WORKFLOW = 'modelBatch';

/** Do not wait any longer: send what was gathered, look at the batch, try the provider now. */
export const NOW_SIGNAL = 'now';

/** Where the batch stands: `ModelBatchView`. */
export const BATCH_STATE_QUERY = 'state';
