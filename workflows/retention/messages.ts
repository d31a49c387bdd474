export const RETENTION_WORKFLOW = 'retentionRun';
export const ARCHIVE_RESTORE_WORKFLOW = 'archiveRestore';
