import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { z } from 'zod';
import type { TenantId } from '../../domain/ids.ts';
import { STATE_QUERY } from '../../workflows/session/types.ts';
import type { SessionView } from '../../workflows/session/types.ts';
import { ATTRIBUTES, JOBS } from '../../workflows/registry.ts';
import type { JobKind } from '../../workflows/registry.ts';
import type { RunState } from '../../domain/jobs.ts';
import { jobOfWorkflow, operationOf, workflowIdOfJob, workflowIdPrefix } from './job-ids.ts';
import type { JobName } from './job-ids.ts';
import { answeredWithin, isNotFound } from './unavailable.ts';

/** A workflow as Temporal lists it. */
export interface WorkflowJob {
  readonly name: JobName;
  readonly workflowId: string;
  readonly state: RunState;
  readonly phase: string | null;
  readonly waiting: string | null;
  readonly startedAt: Date;
  readonly closedAt: Date | null;
}

export interface DescribedJob extends WorkflowJob {
  /** Attempts of the current activity; 0 without one. */
  readonly attempts: number;
  /** Type of the last failure of the current activity, from the closed list of the activities. */
  readonly lastError: string | null;
  /** Time of the next retry of a waiting session; null if it does not wait, or no worker responds. */
  readonly waitingUntil: Date | null;
}

export interface JobQuery {
  readonly kind: JobKind | null;
  readonly state: 'running' | 'waiting' | 'failed' | 'completed' | 'cancelled' | 'all';
  readonly projectIds: readonly string[] | null;
  readonly limit: number;
  /** Token of the previous page; '' for the first one. */
  readonly pageToken: string;
}

export interface JobPage {
  readonly jobs: readonly WorkflowJob[];
  readonly total: number;
  /** '' on the last page. */
  readonly nextPageToken: string;
}

export interface Jobs {
  /** A page of a tenant's workflows, the newest run first; of the kind `operation` the instance's, which are for its operators alone. @throws TemporalUnavailable */
  list(tenantId: TenantId, query: JobQuery): Promise<JobPage>;
  /** Returns null if Temporal does not know it (any more). @throws TemporalUnavailable */
  describe(tenantId: TenantId, name: JobName): Promise<DescribedJob | null>;
  /** Requests cancellation of the workflow; returns false if none is running. @throws TemporalUnavailable */
  cancel(tenantId: TenantId, name: JobName): Promise<boolean>;
}

const CALL_TIMEOUT_MS = 5_000;
/** A query needs a worker: without one, the rest of the response is not delayed for long. */
const QUERY_TIMEOUT_MS = 1_500;

const STATES: Readonly<Record<string, RunState>> = {
  RUNNING: 'running',
  PAUSED: 'running',
  COMPLETED: 'completed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  FAILED: 'failed',
  TIMED_OUT: 'failed',
  CONTINUED_AS_NEW: 'running',
};
/** The state that a status of Temporal means; one that is not known counts as running. */
export function runStateOf(status: string): RunState {
  return STATES[status] ?? 'running';
}

/** States by the number of the status in raw responses. */
const RAW_STATES: readonly RunState[] = [
  'running',
  'running',
  'completed',
  'failed',
  'cancelled',
  'terminated',
  'running',
  'failed',
];

/** Returns a query in Temporal's list filter syntax. It contains our own ids and constants, never input of a caller. */
function visibilityQuery(tenantId: TenantId, query: JobQuery): string {
  const { tenant, project, waiting } = ATTRIBUTES;
  const { kind } = query;
  const ofTenant = kind === 'operation' ? [] : [`${tenant.name} = '${tenantId}'`];
  const ofKind = kind === null ? [] : [`WorkflowId STARTS_WITH '${workflowIdPrefix(kind, tenantId)}'`];
  const states: Readonly<Record<JobQuery['state'], string>> = {
    running: `ExecutionStatus = 'Running' AND ${waiting.name} IS NULL`,
    waiting: `ExecutionStatus = 'Running' AND ${waiting.name} IS NOT NULL`,
    failed: "ExecutionStatus IN ('Failed', 'Terminated', 'TimedOut')",
    completed: "ExecutionStatus = 'Completed'",
    cancelled: "ExecutionStatus = 'Canceled'",
    all: "ExecutionStatus != 'ContinuedAsNew'",
  };
  const ofProject =
    query.projectIds === null ? [] : [`${project.name} IN (${query.projectIds.map((id) => `'${id}'`).join(', ')})`];
  return [...ofTenant, ...ofKind, states[query.state], ...ofProject].join(' AND ');
}

const attributeText = z.union([z.string(), z.array(z.string()).transform((values) => values[0] ?? null)]).nullable();

/** Returns a keyword attribute of a raw response, whose payload is JSON. */
function attribute(data: Uint8Array | null | undefined): string | null {
  if (data === null || data === undefined || data.length === 0) return null;
  return attributeText.parse(JSON.parse(Buffer.from(data).toString('utf8')));
}

function dateOf(time: { readonly seconds?: unknown; readonly nanos?: number | null } | null | undefined): Date | null {
  if (time === null || time === undefined) return null;
  return new Date(Number(time.seconds ?? 0) * 1_000 + Math.floor((time.nanos ?? 0) / 1_000_000));
}

function attempted(description: WorkflowExecutionDescription): Pick<DescribedJob, 'attempts' | 'lastError'> {
  const pending = description.raw.pendingActivities ?? [];
  const tried = pending.toSorted((a, b) => (b.attempt ?? 0) - (a.attempt ?? 0))[0];
  return {
    attempts: tried?.attempt ?? 0,
    lastError: tried?.lastFailure?.applicationFailureInfo?.type ?? null,
  };
}

/** Returns access to workflows as jobs. Every query is limited to the tenant's own. */
export function createJobs(client: Client): Jobs {
  const bounded = <Result>(work: () => Promise<Result>, ms = CALL_TIMEOUT_MS): Promise<Result> =>
    answeredWithin(client, ms, work);

  const waitingUntil = async (workflowId: string): Promise<Date | null> => {
    try {
      const view = await bounded(
        () => client.workflow.getHandle(workflowId).query<SessionView>(STATE_QUERY),
        QUERY_TIMEOUT_MS,
      );
      return view.waiting === null ? null : new Date(view.waiting.untilMs);
    } catch {
      // No worker serves the queue, or the run is too old to be queried: the rest of the response does not need it.
      return null;
    }
  };

  const jobs: Jobs = {
    async list(tenantId, query) {
      const request = { namespace: client.options.namespace, query: visibilityQuery(tenantId, query) };
      const [page, counted] = await Promise.all([
        bounded(() =>
          client.workflowService.listWorkflowExecutions({
            ...request,
            pageSize: query.limit,
            nextPageToken: Buffer.from(query.pageToken, 'base64url'),
          }),
        ),
        bounded(() => client.workflowService.countWorkflowExecutions(request)),
      ]);
      const seen = new Set<string>();
      const jobs = page.executions.flatMap((execution): WorkflowJob[] => {
        const workflowId = execution.execution?.workflowId ?? '';
        const name = query.kind === 'operation' ? operationOf(workflowId) : jobOfWorkflow(tenantId, workflowId);
        // A session that was opened again has several runs: the newest one is the job.
        if (name === null || seen.has(workflowId)) return [];
        seen.add(workflowId);
        const fields = execution.searchAttributes?.indexedFields;
        return [
          {
            name,
            workflowId,
            state: RAW_STATES[execution.status ?? 0] ?? 'running',
            phase: attribute(fields?.[ATTRIBUTES.phase.name]?.data),
            waiting: attribute(fields?.[ATTRIBUTES.waiting.name]?.data),
            startedAt: dateOf(execution.startTime) ?? new Date(0),
            closedAt: dateOf(execution.closeTime),
          },
        ];
      });
      return {
        jobs,
        // Temporal counts runs; of a single page the jobs are known.
        total: query.pageToken === '' && page.nextPageToken.length === 0 ? jobs.length : Number(counted.count),
        nextPageToken: Buffer.from(page.nextPageToken).toString('base64url'),
      };
    },

    async describe(tenantId, name) {
      const workflowId = workflowIdOfJob(tenantId, name);
      try {
        const description = await bounded(() => client.workflow.getHandle(workflowId).describe());
        if (JOBS[name.kind].scope === 'row' && description.typedSearchAttributes.get(ATTRIBUTES.tenant) !== tenantId)
          return null;
        const state = runStateOf(description.status.name);
        const waiting = description.typedSearchAttributes.get(ATTRIBUTES.waiting) ?? null;
        return {
          name,
          workflowId,
          state,
          phase: description.typedSearchAttributes.get(ATTRIBUTES.phase) ?? null,
          waiting,
          startedAt: description.startTime,
          closedAt: description.closeTime ?? null,
          ...attempted(description),
          waitingUntil:
            name.kind === 'session' && state === 'running' && waiting !== null ? await waitingUntil(workflowId) : null,
        };
      } catch (error) {
        if (isNotFound(error)) return null;
        throw error;
      }
    },

    async cancel(tenantId, name) {
      // The id alone would let one tenant end another one's import.
      if (JOBS[name.kind].scope === 'row' && (await jobs.describe(tenantId, name)) === null) return false;
      try {
        await bounded(() => client.workflow.getHandle(workflowIdOfJob(tenantId, name)).cancel());
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },
  };
  return jobs;
}
