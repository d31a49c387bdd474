import type { Client } from '@temporalio/client';
import type { TenantId } from '../../domain/ids.ts';
import { BACKUP_VERIFY_WORKFLOW, BACKUP_WORKFLOW } from '../../workflows/backup/messages.ts';
import type { BackupInput } from '../../workflows/backup/types.ts';
import { backupVerifyWorkflowId, backupWorkflowId } from '../../workflows/ids.ts';
import { startJob } from './start-job.ts';

/** Backups as jobs of the tenant whose operator asked. Every method rejects with TemporalUnavailable when Temporal is away. */
export interface BackupJobs {
  /** Starts the workflow of a backup; one that runs goes on. */
  start(tenantId: TenantId, backupId: string): Promise<void>;
  /** Starts the reading back of a set; one that runs goes on. */
  verify(tenantId: TenantId, backupId: string): Promise<void>;
}

/** Backups through Temporal's client. */
export function createBackupJobs(client: Client): BackupJobs {
  const begin = (type: string, workflowId: string, tenantId: TenantId, input: BackupInput): Promise<void> =>
    startJob(client, { type, workflowId, tenantId, input });
  return {
    start: (tenantId, backupId) => begin(BACKUP_WORKFLOW, backupWorkflowId(backupId), tenantId, { backupId }),
    verify: (tenantId, backupId) =>
      begin(BACKUP_VERIFY_WORKFLOW, backupVerifyWorkflowId(backupId), tenantId, { backupId }),
  };
}
