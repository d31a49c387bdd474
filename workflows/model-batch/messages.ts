/** End the current wait: submit, poll or retry now. */
export const SKIP_WAIT_SIGNAL = 'skipWait';

/** State of the batch: `ModelBatchView`. */
export const BATCH_STATE_QUERY = 'state';
