export const BACKUP_WORKFLOW = 'backupRun';
export const BACKUP_VERIFY_WORKFLOW = 'backupVerify';
