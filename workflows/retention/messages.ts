export const RETENTION_WORKFLOW = 'retentionRun';
export const ARCHIVE_RESTORE_WORKFLOW = 'archiveRestore';

/** How far a run came: `RetentionView`. */
export const RETENTION_PROGRESS_QUERY = 'progress';
