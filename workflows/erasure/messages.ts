export const ERASURE_WORKFLOW = 'erasureRun';
