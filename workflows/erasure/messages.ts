export const ERASURE_WORKFLOW = 'erasureRun';

/** Answers an `ErasureView`. */
export const ERASURE_PROGRESS_QUERY = 'progress';
