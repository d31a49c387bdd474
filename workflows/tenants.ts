import { isCancellation, proxyActivities } from '@temporalio/workflow';
import { ROW } from './activity-options.ts';
import type { MaintenanceActivities } from './operations/types.ts';
import { QUEUES } from './registry.ts';

/** Ids in one payload, which stays below a kilobyte. */
const PAGE = 20;
/** Limit of one run's history: some six events each. */
const TENANTS_OF_A_RUN = 100;

/** Without the database for an hour the run fails, and the next one of the schedule repeats it. */
const { tenantsAfter } = proxyActivities<Pick<MaintenanceActivities, 'tenantsAfter'>>({
  ...ROW,
  taskQueue: QUEUES.sweeps,
  scheduleToCloseTimeout: '1 hour',
});

/**
 * Runs `work` for the tenants after this one, one after another. A tenant whose work fails is counted by `onFailure` and does not stop the others.
 * Returns the tenant to continue after as a new run; null after the last one.
 */
export async function eachTenant(
  first: string | null,
  work: (tenantId: string) => Promise<void>,
  onFailure: () => void,
): Promise<string | null> {
  let after = first;
  for (let seen = 0; seen < TENANTS_OF_A_RUN; seen += PAGE) {
    const tenants = await tenantsAfter({ after, limit: PAGE });
    for (const tenantId of tenants) {
      try {
        await work(tenantId);
      } catch (error) {
        if (isCancellation(error)) throw error;
        onFailure();
      }
      after = tenantId;
    }
    if (tenants.length < PAGE) return null;
  }
  return after;
}
