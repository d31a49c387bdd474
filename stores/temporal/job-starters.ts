import type { Client } from '@temporalio/client';
import { TypedSearchAttributes, WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/common';
import {
  backupVerifyWorkflowId,
  backupWorkflowId,
  checkWorkflowId,
  erasureWorkflowId,
  exportWorkflowId,
  importWorkflowId,
  restoreWorkflowId,
  retentionWorkflowId,
} from '../../workflows/ids.ts';
import type * as workflows from '../../workflows/index.ts';
import { QUEUES } from '../../workflows/queues.ts';
import type { RestoreKind } from '../../domain/jobs.ts';
import { SEARCH_ATTRIBUTES } from './search-attributes.ts';
import { answered, isNotFound } from './unavailable.ts';

const TIMEOUT_MS = 5_000;

/** Names of the workflows that workers run. */
export type WorkflowName = keyof typeof workflows;
type InputOf<Name extends WorkflowName> = NonNullable<Parameters<(typeof workflows)[Name]>[0]>;

/** Workflows that import, on the machine of their files. */
const IMPORTS = { transcripts: 'transcriptImport', 'claude-mem': 'claudeMemImport' } as const;
export type ImportKind = keyof typeof IMPORTS;
const RESTORES = { restore: 'restoreRun', drill: 'restoreDrill' } as const satisfies Record<RestoreKind, WorkflowName>;

/**
 * Starters of the workflows of job rows. A running workflow continues; one that was lost or has ended starts again from its row. Every
 * method rejects with TemporalUnavailable if Temporal does not respond.
 */
export function createJobStarters(client: Client) {
  const bounded = <Result>(work: () => Promise<Result>): Promise<Result> =>
    answered(() => client.withDeadline(Date.now() + TIMEOUT_MS, work));
  const start = async <Name extends WorkflowName>(
    name: Name,
    workflowId: string,
    tenantId: string,
    input: InputOf<Name>,
  ): Promise<void> => {
    await bounded(() =>
      client.workflow.start(name, {
        workflowId,
        taskQueue: QUEUES.session,
        args: [input],
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
        typedSearchAttributes: new TypedSearchAttributes([{ key: SEARCH_ATTRIBUTES.tenant, value: tenantId }]),
      }),
    );
  };
  return {
    imports: {
      start: (input: InputOf<'transcriptImport'>, kind: ImportKind = 'transcripts') =>
        start(IMPORTS[kind], importWorkflowId(input.importId), input.tenantId, input),
      /** Cancels an import. Returns false if it does not run. */
      async cancel({ id }: { readonly id: string }): Promise<boolean> {
        try {
          await bounded(() => client.workflow.getHandle(importWorkflowId(id)).cancel());
          return true;
        } catch (error) {
          if (isNotFound(error)) return false;
          throw error;
        }
      },
    },
    jobStores: {
      erasure: (tenantId: string, erasureId: string) =>
        start('erasureRun', erasureWorkflowId(erasureId), tenantId, { tenantId, erasureId }),
      export: (tenantId: string, jobId: string) =>
        start('exportRun', exportWorkflowId(jobId), tenantId, { tenantId, jobId }),
      fileImport: (tenantId: string, jobId: string) =>
        start('fileImport', importWorkflowId(jobId), tenantId, { tenantId, jobId }),
    },
    backups: {
      start: (tenantId: string, backupId: string) =>
        start('backupRun', backupWorkflowId(backupId), tenantId, { backupId }),
      verify: (tenantId: string, backupId: string) =>
        start('backupVerify', backupVerifyWorkflowId(backupId), tenantId, { backupId }),
    },
    restores: {
      start: (kind: RestoreKind, tenantId: string, restoreId: string) =>
        start(RESTORES[kind], restoreWorkflowId(restoreId), tenantId, { restoreId }),
    },
    retention: {
      start: ({ tenantId, runId }: { readonly tenantId: string; readonly runId: string }) =>
        start('retentionRun', retentionWorkflowId(runId), tenantId, { runId }),
      restore: (input: InputOf<'archiveRestore'>) =>
        start('archiveRestore', retentionWorkflowId(input.archiveId), input.tenantId, input),
    },
    checks: {
      start: (input: InputOf<'consistencyRun'>) =>
        start('consistencyRun', checkWorkflowId(input.checkId), input.tenantId, input),
    },
  };
}
