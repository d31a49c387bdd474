export const RESTORE_WORKFLOW = 'restoreRun';
export const DRILL_WORKFLOW = 'restoreDrill';

/** How far a restore came: `RestoreView`. */
export const RESTORE_PROGRESS_QUERY = 'progress';
