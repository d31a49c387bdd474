export const BACKUP_WORKFLOW = 'backupRun';
export const BACKUP_VERIFY_WORKFLOW = 'backupVerify';

/** How far a backup came: `BackupView`. */
export const BACKUP_PROGRESS_QUERY = 'progress';
