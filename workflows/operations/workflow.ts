import { continueAsNew, proxyActivities } from '@temporalio/workflow';
import { SCHEDULED, SWEEP } from '../activity-options.ts';
import { QUEUES } from '../registry.ts';
import { Progress } from '../run-job.ts';
import { eachTenant } from '../tenants.ts';
import type {
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

/** Adding partitions is idempotent and must not wait for tomorrow's run. */
const partitioning = proxyActivities<Pick<MaintenanceActivities, 'ensurePartitions'>>({
  taskQueue: QUEUES.sweeps,
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '6 hours',
  retry: { initialInterval: '10 seconds', maximumInterval: '10 minutes' },
});

/** A tenant takes seconds, a large one minutes; one that fails for two hours is left to tomorrow's run. */
const tenantWork = proxyActivities<ConsolidationActivities & StatisticsActivities>({
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
  return partitioning.ensurePartitions();
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
