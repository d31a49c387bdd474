import { continueAsNew, isCancellation, proxyActivities } from '@temporalio/workflow';
import { SCHEDULED, SWEEP } from '../activity-options.ts';
import { QUEUES } from '../registry.ts';
import { Progress } from '../run-job.ts';
import { eachTenant } from '../tenants.ts';
import type {
  AuditActivities,
  AuditResult,
  ConsolidationActivities,
  ConsolidationResult,
  MaintenanceActivities,
  StatisticsActivities,
  StatisticsResult,
  StatisticsState,
  SweepResult,
  TenantsState,
} from './types.ts';

const sweeping = proxyActivities<Pick<MaintenanceActivities, 'sweepCaptures'>>(SWEEP);

/** Adding partitions and alerts is idempotent and must not wait for tomorrow's run. */
const daily = proxyActivities<Pick<MaintenanceActivities, 'ensurePartitions' | 'alertDeadlines'>>({
  taskQueue: QUEUES.sweeps,
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '6 hours',
  retry: { initialInterval: '10 seconds', maximumInterval: '10 minutes' },
});

/** A tenant takes seconds, a large one minutes; one that fails for two hours is left to tomorrow's run. */
const tenantWork = proxyActivities<ConsolidationActivities & StatisticsActivities & AuditActivities>({
  ...SCHEDULED,
  startToCloseTimeout: '2 hours',
  scheduleToCloseTimeout: '2 hours',
});

/** Resends lost hints to session workflows. */
export async function captureSweep(): Promise<SweepResult> {
  return sweeping.sweepCaptures();
}

/** Creates the coming months' partitions of the hot tables. */
export async function partitions(): Promise<{ readonly created: number }> {
  return daily.ensurePartitions();
}

/** Alerts admins of deadlines of requests about personal data. */
export async function gdprDeadlines(): Promise<{ readonly alerts: number }> {
  return daily.alertDeadlines();
}

const NOT_CONSOLIDATED: ConsolidationResult = {
  scopes: 0,
  duplicates: 0,
  superseded: 0,
  decayed: 0,
  pruned: 0,
  failed: 0,
};

/** Merges duplicates, decays use and confidence, and deletes unreferenced entities of the graph, tenant by tenant. */
export async function consolidation(
  state: TenantsState<ConsolidationResult> = { after: null, totals: NOT_CONSOLIDATED },
): Promise<ConsolidationResult> {
  const progress = new Progress(state.totals);
  const after = await eachTenant(
    state.after,
    async (tenantId) => {
      const found = await tenantWork.consolidate({ tenantId });
      const totals = progress.view;
      progress.view = {
        ...totals,
        scopes: totals.scopes + found.scopes,
        duplicates: totals.duplicates + found.duplicates,
        superseded: totals.superseded + found.superseded,
        decayed: totals.decayed + found.decayed,
        pruned: totals.pruned + found.pruned,
      };
    },
    () => {
      progress.view = { ...progress.view, failed: progress.view.failed + 1 };
    },
  );
  return after === null ? progress.view : continueAsNew<typeof consolidation>({ after, totals: progress.view });
}

/** Stores the figures of the day: of the instance, then of each tenant. */
export async function statisticsRun(state: StatisticsState | null = null): Promise<StatisticsResult> {
  const day = state?.day ?? new Date().toISOString().slice(0, 10);
  const progress = new Progress(state?.totals ?? { tenants: 0, failed: 0, figures: 0 });
  const add = (change: Partial<StatisticsResult>): void => {
    const { tenants, failed, figures } = progress.view;
    progress.view = {
      tenants: tenants + (change.tenants ?? 0),
      failed: failed + (change.failed ?? 0),
      figures: figures + (change.figures ?? 0),
    };
  };
  if (state === null) add({ figures: await tenantWork.takeStatistics({ tenantId: null, day }) });
  const after = await eachTenant(
    state?.after ?? null,
    async (tenantId) => add({ tenants: 1, figures: await tenantWork.takeStatistics({ tenantId, day }) }),
    () => add({ tenants: 1, failed: 1 }),
  );
  return after === null ? progress.view : continueAsNew<typeof statisticsRun>({ after, totals: progress.view, day });
}

/** Verifies the audit log of every tenant, after the anchors of the stored backups were recorded. A fault alerts the tenant's admins. */
export async function auditVerification(state: TenantsState<AuditResult> | null = null): Promise<AuditResult> {
  const progress = new Progress(state?.totals ?? { tenants: 0, rows: 0, faults: 0, failed: 0 });
  const add = (change: Partial<AuditResult>): void => {
    const { tenants, rows, faults, failed } = progress.view;
    progress.view = {
      tenants: tenants + (change.tenants ?? 0),
      rows: rows + (change.rows ?? 0),
      faults: faults + (change.faults ?? 0),
      failed: failed + (change.failed ?? 0),
    };
  };
  if (state === null)
    try {
      await tenantWork.collectAuditAnchors();
    } catch (error) {
      if (isCancellation(error)) throw error;
      // The chains are compared with the anchors that PostgreSQL has.
      add({ failed: 1 });
    }
  const after = await eachTenant(
    state?.after ?? null,
    async (tenantId) => {
      const { checked, isIntact } = await tenantWork.verifyAuditLog({ tenantId });
      add({ tenants: 1, rows: checked, faults: isIntact ? 0 : 1 });
    },
    () => add({ tenants: 1, failed: 1 }),
  );
  return after === null ? progress.view : continueAsNew<typeof auditVerification>({ after, totals: progress.view });
}
