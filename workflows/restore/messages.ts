export const RESTORE_WORKFLOW = 'restoreRun';
export const DRILL_WORKFLOW = 'restoreDrill';
