import type { TenantId } from '../../domain/ids.ts';
import { JOB_KINDS } from '../../domain/jobs.ts';
import { JOBS } from '../../workflows/registry.ts';
import type { JobKind } from '../../workflows/registry.ts';

/** Returns the prefix of every workflow id of a tenant's kind. Ids of rows and operations do not name the tenant: the search attribute does. */
export function workflowIdPrefix(kind: JobKind, tenantId: string): string {
  const { prefix, scope } = JOBS[kind];
  return scope === 'tenant' ? `${prefix}/${tenantId}/` : `${prefix}/`;
}

export interface JobName {
  readonly kind: JobKind;
  /** A session's id, the number of a shard or of a batch, the id of an import or a check, or the name of an operation with the time of its run. */
  readonly subject: string;
}

const JOB_ID = /^([a-z]+)\.([A-Za-z0-9:-]{1,64})$/;

/** Returns a job id such as `session.0198…`: kind and subject without a tenant, so that a caller can name only its own jobs. */
export function jobIdOf({ kind, subject }: JobName): string {
  return `${kind}.${subject}`;
}

/** Returns null for an invalid job id. */
export function parseJobId(given: string): JobName | null {
  const [, kind, subject] = JOB_ID.exec(given) ?? [];
  const known = JOB_KINDS.find((name) => name === kind);
  if (known === undefined || subject === undefined) return null;
  // Temporal ends the id of a scheduled run with its time, in capitals.
  return { kind: known, subject: known === 'operation' ? subject : subject.toLowerCase() };
}

/** Returns the operation that a workflow is a run of; null for any other workflow. */
export function operationOf(workflowId: string): JobName | null {
  const prefix = `${JOBS.operation.prefix}/`;
  return workflowId.startsWith(prefix) ? { kind: 'operation', subject: workflowId.slice(prefix.length) } : null;
}

/** Returns the job of a workflow that was listed for this tenant; null if it is not one of the tenant's jobs, such as an operation. */
export function jobOfWorkflow(tenantId: TenantId, workflowId: string): JobName | null {
  for (const kind of JOB_KINDS) {
    const prefix = workflowIdPrefix(kind, tenantId);
    if (kind !== 'operation' && workflowId.startsWith(prefix))
      return { kind, subject: workflowId.slice(prefix.length) };
  }
  return null;
}

export function workflowIdOfJob(tenantId: string, { kind, subject }: JobName): string {
  return `${workflowIdPrefix(kind, tenantId)}${subject}`;
}
