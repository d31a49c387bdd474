/** First part of the workflow ids of each kind of job (`JOB_KINDS` in `domain/jobs.ts`). */
export const ID_PREFIXES = {
  session: 'session',
  learning: 'learn',
  index: 'index',
  reindex: 'reindex',
  batch: 'model-batch',
  import: 'job/import',
  check: 'job/consistency',
  backup: 'job/backup',
  restore: 'job/restore',
  retention: 'job/retention',
  erasure: 'job/erasure',
  export: 'job/export',
  operation: 'ops',
} as const;

/** Every workflow id is built here. Ids hold row ids only, never user text: they are shown in logs and are not encrypted. */

export function sessionWorkflowId(tenantId: string, sessionId: string): string {
  return `${ID_PREFIXES.session}/${tenantId}/${sessionId}`;
}

export function learningWorkflowId(tenantId: string, sessionId: string): string {
  return `${ID_PREFIXES.learning}/${tenantId}/${sessionId}`;
}

/** One shard a tenant so far: a second one pays only when one embedder is not enough for one tenant. */
export function indexWorkflowId(tenantId: string, shard = 0): string {
  return `${ID_PREFIXES.index}/${tenantId}/${shard}`;
}

/** The change of a tenant's index; one at a time. */
export function reindexWorkflowId(tenantId: string, shard = 0): string {
  return `${ID_PREFIXES.reindex}/${tenantId}/${shard}`;
}

/** One provider batch of a tenant's windows; `n` counts them. */
export function modelBatchWorkflowId(tenantId: string, n: number): string {
  return `${ID_PREFIXES.batch}/${tenantId}/${n}`;
}

/** Id of a schedule, and the first part of the ids of its runs. */
export function operationsWorkflowId(name: string): string {
  return `${ID_PREFIXES.operation}/${name}`;
}

/** A requested consistency check; `checkId` is the id of its row. */
export function checkWorkflowId(checkId: string): string {
  return `${ID_PREFIXES.check}/${checkId}`;
}

/** A requested retention run or restore of an archive; `id` is the id of its row. */
export function retentionWorkflowId(id: string): string {
  return `${ID_PREFIXES.retention}/${id}`;
}

/** An import; `importId` is the id of its row. */
export function importWorkflowId(importId: string): string {
  return `${ID_PREFIXES.import}/${importId}`;
}

/** A requested backup; `backupId` is the id of its row and of the backup. */
export function backupWorkflowId(backupId: string): string {
  return `${ID_PREFIXES.backup}/${backupId}`;
}

/** The verification of a backup. */
export function backupVerifyWorkflowId(backupId: string): string {
  return `${ID_PREFIXES.backup}/verify-${backupId}`;
}

/** A restore or a requested drill; `restoreId` is the id of its row. */
export function restoreWorkflowId(restoreId: string): string {
  return `${ID_PREFIXES.restore}/${restoreId}`;
}

/** An erasure; its id is that of its row. */
export function erasureWorkflowId(erasureId: string): string {
  return `${ID_PREFIXES.erasure}/${erasureId}`;
}

/** An export; its id is that of its row. */
export function exportWorkflowId(exportId: string): string {
  return `${ID_PREFIXES.export}/${exportId}`;
}
