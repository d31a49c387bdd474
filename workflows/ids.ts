/** Every workflow id is built here. Ids hold row ids only, never user text: they are shown in logs and are not encrypted. */

export function sessionWorkflowId(tenantId: string, sessionId: string): string {
  return `session/${tenantId}/${sessionId}`;
}

export function learningWorkflowId(tenantId: string, sessionId: string): string {
  return `learn/${tenantId}/${sessionId}`;
}

/** One shard a tenant so far: a second one pays only when one embedder is not enough for one tenant. */
export function indexWorkflowId(tenantId: string, shard = 0): string {
  return `index/${tenantId}/${shard}`;
}

/** The change of a tenant's index; one at a time. */
export function reindexWorkflowId(tenantId: string, shard = 0): string {
  return `reindex/${tenantId}/${shard}`;
}

/** One provider batch of a tenant's windows; `n` counts them. */
export function modelBatchWorkflowId(tenantId: string, n: number): string {
  return `model-batch/${tenantId}/${n}`;
}

/** What runs by a schedule, over all tenants or the whole instance. */
export const OPERATIONS = [
  'backup',
  'capture-sweep',
  'consistency',
  'consolidation',
  'partitions',
  'restore-drill',
  'retention',
  'statistics',
  'transcripts',
] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Of a schedule, and what begins the ids of its runs. */
export function operationsWorkflowId(name: Operation): string {
  return `ops/${name}`;
}

/** A comparison that somebody asked for; its id is that of its row. */
export function checkWorkflowId(checkId: string): string {
  return `job/consistency/${checkId}`;
}

/** A run of retention, or the bringing back of an archive, that somebody asked for; its id is that of the row. */
export function retentionWorkflowId(id: string): string {
  return `job/retention/${id}`;
}

/** An import; its id is that of its row. */
export function importWorkflowId(importId: string): string {
  return `job/import/${importId}`;
}

/** A backup that somebody asked for; its id is that of its row and of its set. */
export function backupWorkflowId(backupId: string): string {
  return `job/backup/${backupId}`;
}

/** The reading back of a set. */
export function backupVerifyWorkflowId(backupId: string): string {
  return `job/backup/verify-${backupId}`;
}

/** A restore, or a drill that somebody asked for; its id is that of its row. */
export function restoreWorkflowId(restoreId: string): string {
  return `job/restore/${restoreId}`;
}

/** An erasure; its id is that of its row. */
export function erasureWorkflowId(erasureId: string): string {
  return `job/erasure/${erasureId}`;
}

/** An export; its id is that of its row. */
export function exportWorkflowId(exportId: string): string {
  return `job/export/${exportId}`;
}
