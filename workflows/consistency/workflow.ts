import { continueAsNew, proxyActivities, uuid4 } from '@temporalio/workflow';
import { ROW, SCHEDULED } from '../activity-options.ts';
import type { TenantsState } from '../operations/types.ts';
import { Progress, runJob } from '../run-job.ts';
import { eachTenant } from '../tenants.ts';
import type { CheckCounts, ConsistencyActivities, ConsistencyInput, ConsistencyResult, KindCounts } from './types.ts';

/** A million rows take a minute, a hundred million two hours; the heartbeat of an interrupted attempt passes its last object to the next one. */
const checking = proxyActivities<Pick<ConsistencyActivities, 'checkTenant'>>(SCHEDULED);
const { closeCheck } = proxyActivities<Pick<ConsistencyActivities, 'closeCheck'>>({
  ...ROW,
  scheduleToCloseTimeout: '1 hour',
});

const NOTHING: ConsistencyResult = { tenants: 0, failed: 0, rows: 0, found: 0, repaired: 0 };

const sumOf = (counts: KindCounts): number => Object.values(counts).reduce((sum, count) => sum + count, 0);

/** Checks one tenant; a failed or cancelled check updates its row. */
function check(tenantId: string, checkId: string, repair: boolean | null): Promise<CheckCounts> {
  return runJob(
    () => checking.checkTenant({ tenantId, checkId, repair }),
    (end) => closeCheck({ tenantId, checkId, ...end }),
  );
}

/** Checks PostgreSQL, Weaviate and the workflows of one tenant, or of all tenants one after another. */
export async function consistencyRun(
  input: ConsistencyInput | null = null,
  state: TenantsState<ConsistencyResult> = { after: null, totals: NOTHING },
): Promise<ConsistencyResult> {
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
  const after = await eachTenant(
    state.after,
    async (tenantId) => add(await check(tenantId, uuid4(), null)),
    // The row stores the failure.
    () => {
      const { tenants, failed } = progress.view;
      progress.view = { ...progress.view, tenants: tenants + 1, failed: failed + 1 };
    },
  );
  return after === null ? progress.view : continueAsNew<typeof consistencyRun>(null, { after, totals: progress.view });
}
