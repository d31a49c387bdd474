import { continueAsNew, isCancellation, proxyActivities, uuid4 } from '@temporalio/workflow';
import { QUEUES } from '../queues.ts';
import { Progress, runJob } from '../run-job.ts';
import type {
  CheckCounts,
  ConsistencyActivities,
  ConsistencyInput,
  ConsistencyResult,
  ConsistencyState,
  KindCounts,
} from './types.ts';

/**
 * A million rows take a minute, a hundred million two hours; the heartbeat of an interrupted attempt passes its last object to the next one.
 * No caller waits for it, and tomorrow's run checks everything again.
 */
const checking = proxyActivities<Pick<ConsistencyActivities, 'checkTenant'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '6 hours',
  scheduleToCloseTimeout: '12 hours',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '5 seconds', maximumInterval: '5 minutes' },
});

/** One short statement each; an hour without the database ends the run, and the next day's run repeats it. */
const rows = proxyActivities<Pick<ConsistencyActivities, 'tenantsToCheck' | 'closeCheck'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '30 seconds',
  scheduleToCloseTimeout: '1 hour',
  retry: { initialInterval: '2 seconds', maximumInterval: '1 minute' },
});

/** Their ids in one payload, which stays below a kilobyte. */
const PAGE = 20;
/** Limit of one run's history. */
const TENANTS_OF_A_RUN = 100;
const NOTHING: ConsistencyResult = { tenants: 0, failed: 0, rows: 0, found: 0, repaired: 0 };

const sumOf = (counts: KindCounts): number => Object.values(counts).reduce((sum, count) => sum + count, 0);

/** Checks one tenant; a failed or cancelled check updates its row. */
function check(tenantId: string, checkId: string, repair: boolean | null): Promise<CheckCounts> {
  return runJob(
    () => checking.checkTenant({ tenantId, checkId, repair }),
    (end) => rows.closeCheck({ tenantId, checkId, ...end }),
  );
}

/** Checks PostgreSQL, Weaviate and the workflows of one tenant, or of all tenants one after another. */
export async function consistencyRun(
  input: ConsistencyInput | null = null,
  state: ConsistencyState = { after: null, totals: NOTHING },
): Promise<ConsistencyResult> {
  let { after } = state;
  const progress = new Progress(state.totals);
  const add = (counts: CheckCounts): void => {
    const totals = progress.view;
    progress.view = {
      ...totals,
      tenants: totals.tenants + 1,
      rows: totals.rows + counts.rows,
      found: totals.found + sumOf(counts.found),
      repaired: totals.repaired + sumOf(counts.repaired),
    };
  };
  if (input !== null) {
    add(await check(input.tenantId, input.checkId, input.repair));
    return progress.view;
  }
  for (let seen = 0; ;) {
    const tenants = await rows.tenantsToCheck({ after, limit: PAGE });
    for (const tenantId of tenants) {
      try {
        add(await check(tenantId, uuid4(), null));
      } catch (error) {
        if (isCancellation(error)) throw error;
        // The row stores the failure; the other tenants are checked all the same.
        const { tenants: done, failed } = progress.view;
        progress.view = { ...progress.view, tenants: done + 1, failed: failed + 1 };
      }
      after = tenantId;
    }
    seen += tenants.length;
    if (tenants.length < PAGE) return progress.view;
    if (seen >= TENANTS_OF_A_RUN) return continueAsNew<typeof consistencyRun>(null, { after, totals: progress.view });
  }
}
