import {
  ApplicationFailure,
  CancellationScope,
  continueAsNew,
  defineQuery,
  isCancellation,
  proxyActivities,
  setHandler,
  uuid4,
} from '@temporalio/workflow';
import { applicationFailure } from '../failure-reason.ts';
import { NOT_RETRIED } from '../failure-types.ts';
import { QUEUES } from '../queues.ts';
import { CONSISTENCY_PROGRESS_QUERY } from './messages.ts';
import type {
  CheckCounts,
  ConsistencyActivities,
  ConsistencyInput,
  ConsistencyResult,
  ConsistencyState,
  KindCounts,
} from './types.ts';

/**
 * A million rows take a minute, a hundred million two hours; an attempt that is cut off tells the next one, by its heartbeat, up to which object it came.
 * Nobody waits for it, and tomorrow's run looks at all of it again.
 */
const comparing = proxyActivities<Pick<ConsistencyActivities, 'checkTenant'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '6 hours',
  scheduleToCloseTimeout: '12 hours',
  heartbeatTimeout: '30 seconds',
  retry: {
    initialInterval: '5 seconds',
    maximumInterval: '5 minutes',
    maximumAttempts: 12,
    nonRetryableErrorTypes: [...NOT_RETRIED],
  },
});

/** One short statement each; a database that is away for an hour ends the run, which the next day repeats. */
const rows = proxyActivities<Pick<ConsistencyActivities, 'tenantsToCheck' | 'closeCheck'>>({
  taskQueue: QUEUES.maintenance,
  startToCloseTimeout: '30 seconds',
  scheduleToCloseTimeout: '1 hour',
  retry: { initialInterval: '2 seconds', maximumInterval: '1 minute' },
});

/** Their ids in one payload, which stays below a kilobyte. */
const PAGE = 20;
/** Of one run's history. */
const TENANTS_OF_A_RUN = 100;
const NOTHING: ConsistencyResult = { tenants: 0, failed: 0, rows: 0, found: 0, repaired: 0 };
const progressQuery = defineQuery<ConsistencyResult>(CONSISTENCY_PROGRESS_QUERY);

const sumOf = (counts: KindCounts): number => Object.values(counts).reduce((sum, count) => sum + count, 0);

function failureOf(error: unknown): string | null {
  const failure = applicationFailure(error);
  return failure instanceof ApplicationFailure ? (failure.type ?? null) : null;
}

/** Compares a tenant, and has its row say how it ended whatever happens. */
async function compare(tenantId: string, checkId: string, repair: boolean | null): Promise<CheckCounts> {
  try {
    return await comparing.checkTenant({ tenantId, checkId, repair });
  } catch (error) {
    const state = isCancellation(error) ? 'cancelled' : 'failed';
    await CancellationScope.nonCancellable(() =>
      rows.closeCheck({ tenantId, checkId, state, error: failureOf(error) }),
    );
    throw error;
  }
}

/** Compares PostgreSQL, Weaviate and the workflows: of one tenant, or of all of them one after another. */
export async function consistencyRun(
  input: ConsistencyInput | null = null,
  state: ConsistencyState = { after: null, totals: NOTHING },
): Promise<ConsistencyResult> {
  let { after, totals } = state;
  setHandler(progressQuery, () => totals);
  const add = (counts: CheckCounts): void => {
    totals = {
      ...totals,
      tenants: totals.tenants + 1,
      rows: totals.rows + counts.rows,
      found: totals.found + sumOf(counts.found),
      repaired: totals.repaired + sumOf(counts.repaired),
    };
  };
  if (input !== null) {
    add(await compare(input.tenantId, input.checkId, input.repair));
    return totals;
  }
  for (let seen = 0; ;) {
    const tenants = await rows.tenantsToCheck({ after, limit: PAGE });
    for (const tenantId of tenants) {
      try {
        add(await compare(tenantId, uuid4(), null));
      } catch (error) {
        if (isCancellation(error)) throw error;
        // One tenant's must not keep the others from theirs; its row says why.
        totals = { ...totals, tenants: totals.tenants + 1, failed: totals.failed + 1 };
      }
      after = tenantId;
    }
    seen += tenants.length;
    if (tenants.length < PAGE) return totals;
    if (seen >= TENANTS_OF_A_RUN) return continueAsNew<typeof consistencyRun>(null, { after, totals });
  }
}
