export const CONSISTENCY_WORKFLOW = 'consistencyRun';
/** How far a run has come, as ConsistencyProgress. */
export const CONSISTENCY_PROGRESS_QUERY = 'progress';
