import type pg from 'pg';
import { alertDeadlines } from '../../stores/postgres/erasure/gdpr-deadlines.ts';
import {
  ensurePartitions,
  batchesToHint,
  jobsToStart,
  noteHints,
  sessionsToHint,
  retryFailedVectors,
  tenantsToReindex,
  tenantsWithPendingVectors,
  lastIndexed,
  requestAgain,
} from '../../stores/postgres/connection/maintenance.ts';
import type { JobToStart } from '../../stores/postgres/connection/maintenance.ts';
import { dropAuditMonths } from '../../stores/postgres/audit/months.ts';
import { pruneStreamEvents } from '../../stores/postgres/stream/stream-events.ts';
import { takeSample } from '../../stores/postgres/statistics/instance-samples.ts';
import type { MachineFigures } from '../../stores/postgres/statistics/instance-samples.ts';
import { pruneEmbeddingCache, sweepOld, sweepStarted } from '../../stores/postgres/retention/retention.ts';
import type { VectorIndex } from '../../domain/ports/vector-index.ts';
import { tenantsAfter } from '../../stores/postgres/consistency/ledger.ts';
import type { MaintenanceActivities } from '../../workflows/operations/types.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import { endRestore, unstartedRestore } from '../../stores/postgres/backups/restores.ts';
import type { RunningWorkflows } from '../../stores/temporal/running-workflows.ts';
import type { StartJob } from '../../stores/temporal/start-workflow.ts';
import { workflowIdOf } from '../../workflows/registry.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import { reportProgress, withHeartbeat } from '../heartbeat.ts';
import { lateDuplicateRemovals } from '../transcripts/late-duplicates.ts';
import type { TenantId } from '../../domain/ids.ts';
import { VectorIndexUnavailable } from '../../domain/ports/vector-index.ts';

/** Chunks per sweep: as many as are embedded in five minutes on a small machine. */
const MAX_CHUNKS = 20_000;
const LOOKUP_CHUNKS = 500;

/**
 * Looks up recently indexed vectors and requests missing ones: a killed server may have acknowledged unwritten data. An unavailable index is
 * checked by the next sweep.
 */
export async function findLostVectors(maintenance: pg.Pool, vectors: VectorIndex, signal: AbortSignal): Promise<void> {
  const groups = new Map<string, { readonly tenantId: TenantId; readonly model: string; readonly ids: string[] }>();
  for (const { tenantId, model, objectId } of await lastIndexed(maintenance, MAX_CHUNKS)) {
    const name = `${tenantId} ${model}`;
    const group = groups.get(name) ?? { tenantId, model, ids: [] };
    groups.set(name, group);
    group.ids.push(objectId);
  }
  try {
    for (const { tenantId, model, ids } of groups.values()) {
      for (let from = 0; from < ids.length; from += LOOKUP_CHUNKS) {
        reportProgress(signal);
        const batch = ids.slice(from, from + LOOKUP_CHUNKS);
        const present = await vectors.existing(tenantId, model, batch);
        const lost = batch.filter((id) => !present.has(id));
        await requestAgain(maintenance, tenantId, model, lost);
      }
    }
  } catch (error) {
    if (!(error instanceof VectorIndexUnavailable)) throw error;
  }
}

export interface MaintenanceDependencies {
  readonly database: Database;
  /** As the maintenance role. */
  readonly maintenance: pg.Pool;
  readonly hints: WorkflowHints;
  readonly startJob: StartJob;
  readonly workflows: Pick<RunningWorkflows, 'isRunning'>;
  readonly vectors: VectorIndex;
  /** Name of the index that the settings ask for. */
  readonly indexName: string;
  /** Cached vectors per tenant. */
  readonly cacheEntries: number;
  /** A session without an event for this long should have been ended by its workflow. */
  readonly idleMs: number;
  /** Rows of the audit log are retained for so many days. */
  readonly auditDays: number;
  /** Measures this process and its machine. */
  readonly measure: () => MachineFigures;
}

/** Grace period before a hint counts as lost. */
const GRACE_MS = 10_000;
/** The api starts the workflow of a job within seconds after its row. */
const START_GRACE_MS = 60_000;
/** Multiple of the idle time after which an open session's workflow is hinted. */
const OVERDUE_FACTOR = 1.5;
/** A hint of a sweep that was not consumed is sent again after this time: Temporal does not lose it, but its workflow may have been ended. */
const REPEAT_MS = 15 * 60_000;
/** Sessions per sweep: one Temporal client was measured to send 280 hints a second. */
const MAX_SESSIONS = 2_000;
const MAX_TENANTS = 500;
const AT_ONCE = 16;

/** Sends hints, some in parallel, until the signal aborts. @throws the first failure if all fail */
async function notifyAll(hintCalls: readonly (() => Promise<void>)[], signal: AbortSignal): Promise<void> {
  const failures: unknown[] = [];
  for (let start = 0; start < hintCalls.length; start += AT_ONCE) {
    reportProgress(signal);
    // One failed hint must not block the others.
    const results = await Promise.allSettled(hintCalls.slice(start, start + AT_ONCE).map((calls) => calls()));
    for (const result of results) if (result.status === 'rejected') failures.push(result.reason);
  }
  if (hintCalls.length > 0 && failures.length === hintCalls.length) throw failures[0];
}

/**
 * Runs every stage regardless of failures in earlier ones, then throws the first failure. Stops between two stages once cancelled, so that it
 * does not overlap the next attempt.
 */
async function doAll(stages: readonly (() => Promise<unknown>)[], signal: AbortSignal): Promise<void> {
  const failures: unknown[] = [];
  for (const stage of stages) {
    reportProgress(signal);
    await stage().catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

/** Starts the workflow of a job. One that is running continues. */
function start(startJob: StartJob, { workflow, tenantId, id, repair }: JobToStart): Promise<void> {
  switch (workflow) {
    case 'consistencyRun':
      return startJob(workflow, tenantId, id, { tenantId, checkId: id, repair });
    case 'erasureRun':
      return startJob(workflow, tenantId, id, { tenantId, erasureId: id });
    case 'exportRun':
    case 'fileImport':
      return startJob(workflow, tenantId, id, { tenantId, jobId: id });
    case 'retentionRun':
      return startJob(workflow, tenantId, id, { runId: id });
    case 'restoreDrill':
      return startJob(workflow, tenantId, id, { restoreId: id });
  }
}

/**
 * Ends restores that have no workflow: it could not be started. None begins later than its request was answered, and the next one is not refused
 * because of a row, nor the scheduled drill left out.
 */
async function endUnstarted(maintenance: pg.Pool, workflows: Pick<RunningWorkflows, 'isRunning'>): Promise<void> {
  const id = await unstartedRestore(maintenance, START_GRACE_MS);
  if (id === null || (await workflows.isRunning(workflowIdOf('restore', id)))) return;
  await endRestore(maintenance, id, 'failed', 'Interrupted', 'no workflow runs it; request it again');
}

/** Maintenance over all tenants. */
export function createMaintenanceActivities({
  database,
  maintenance,
  hints,
  startJob,
  workflows,
  vectors,
  indexName,
  cacheEntries,
  idleMs,
  auditDays,
  measure,
}: MaintenanceDependencies): MaintenanceActivities {
  return {
    sweepCaptures: () =>
      withHeartbeat(async (signal) => {
        const swept = { sessions: 0, tenants: 0 };
        const stages = [
          // Captures first: a vector index that does not answer must not keep a session waiting.
          async () => {
            const times = { graceMs: GRACE_MS, overdueMs: idleMs * OVERDUE_FACTOR, repeatMs: REPEAT_MS };
            const sessions = await sessionsToHint(maintenance, times, MAX_SESSIONS);
            swept.sessions = sessions.length;
            const sent: string[] = [];
            const calls = sessions.map(({ tenantId, sessionId }) => async () => {
              await hints.session(tenantId, sessionId);
              sent.push(sessionId);
            });
            try {
              await notifyAll(calls, signal);
            } finally {
              await noteHints(
                maintenance,
                sessions.map(({ sessionId }) => sessionId),
                sent,
              );
            }
          },
          () => sweepStarted(maintenance),
          () => pruneStreamEvents(maintenance),
          () => retryFailedVectors(maintenance),
          () => findLostVectors(maintenance, vectors, signal),
          async () => {
            const tenants = await tenantsWithPendingVectors(maintenance, GRACE_MS, MAX_TENANTS);
            swept.tenants = tenants.length;
            const calls = tenants.map((tenantId) => () => hints.index(tenantId));
            await notifyAll(calls, signal);
          },
          async () => {
            const changed = await tenantsToReindex(maintenance, indexName, MAX_TENANTS);
            const calls = changed.map((tenantId) => () => hints.reindex(tenantId));
            await notifyAll(calls, signal);
          },
          async () => {
            const batches = await batchesToHint(maintenance, MAX_TENANTS);
            const calls = batches.map(
              ({ tenantId, ...batch }) =>
                () =>
                  hints.modelBatch(tenantId, batch),
            );
            await notifyAll(calls, signal);
          },
          async () => {
            const jobs = await jobsToStart(maintenance, START_GRACE_MS, MAX_TENANTS);
            const calls = jobs.map((job) => () => start(startJob, job));
            await notifyAll(calls, signal);
          },
          () => endUnstarted(maintenance, workflows),
          async () => doAll(await lateDuplicateRemovals(maintenance, database), signal),
          // Last: what others wait for comes first.
          () => takeSample(maintenance, measure, Date.now()),
        ];
        await doAll(stages, signal);
        return swept;
      }),
    tenantsAfter: ({ after, limit }) => tenantsAfter(maintenance, after, limit),
    alertDeadlines: async () => ({ alerts: await alertDeadlines(maintenance) }),
    async ensurePartitions() {
      // Partitions first: captures need them.
      const created = await ensurePartitions(maintenance);
      await sweepOld(maintenance);
      await pruneEmbeddingCache(maintenance, cacheEntries);
      await dropAuditMonths(maintenance, auditDays);
      return { created };
    },
  };
}
