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

export function operationsWorkflowId(name: 'capture-sweep' | 'consolidation' | 'partitions' | 'transcripts'): string {
  return `ops/${name}`;
}

/** An import; its id is that of its row. */
export function importWorkflowId(importId: string): string {
  return `job/import/${importId}`;
}
