import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { WorkflowFailedError } from '@temporalio/client';
import type { CheckCounts, ConsistencyInput } from '../../workflows/consistency/types.ts';
import type { MaintenanceActivities } from '../../workflows/operations/types.ts';
import { workflowIdOf, QUEUES } from '../../workflows/registry.ts';
import { until } from '../setup/until.ts';
import { firstRun } from './scenario.ts';
import type { Scenario } from './scenario.ts';

const CHECK = '018f0000-0000-7000-8000-00000000000f';
const BEAT_MS = 50;
const COUNTS: CheckCounts = { rows: 20, found: { missing: 2, stale: 1 }, repaired: { missing: 2 } };

/** Ids of tenants by their number, in order. */
const tenant = (n: number): string => `018f0000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

/** Pages of so many tenants. */
const tenantsAfter =
  (tenants: number): MaintenanceActivities['tenantsAfter'] =>
  async ({ after, limit }) => {
    const from = after === null ? 0 : Number.parseInt(after.slice(-12), 16) + 1;
    return Array.from({ length: Math.min(limit, tenants - from) }, (_, n) => tenant(from + n));
  };

async function untilCancelled(): Promise<never> {
  const context = Context.current();
  for (;;) {
    context.heartbeat();
    await context.sleep(BEAT_MS);
  }
}

function consistencyScenario(
  shape: 'happy' | 'asked' | 'failed' | 'cancelled' | 'continued',
  tenants: number,
): Scenario {
  return {
    workflow: 'consistencyRun',
    shape,
    activities: () => ({
      tenantsAfter: tenantsAfter(tenants),
      checkTenant: async ({ tenantId }) => {
        if (shape === 'cancelled') return untilCancelled();
        // One tenant of several fails; the others are still checked.
        if (shape === 'failed' || (shape === 'happy' && tenantId === tenant(1)))
          throw ApplicationFailure.create({ type: 'Unexpected', message: 'lost', nonRetryable: true });
        return COUNTS;
      },
      closeCheck: () => Promise.resolve(),
    }),
    async run(client) {
      const isOne = shape === 'asked' || shape === 'failed' || shape === 'cancelled';
      const input: ConsistencyInput = { tenantId: tenant(0), checkId: CHECK, repair: true };
      const handle = await client.workflow.start('consistencyRun', {
        workflowId: isOne ? workflowIdOf('check', CHECK) : `${workflowIdOf('operation', 'consistency')}/by-hand`,
        taskQueue: QUEUES.session,
        args: isOne ? [input] : [],
      });
      if (shape === 'continued') return firstRun(client, handle);
      if (shape === 'cancelled') {
        await until(async () => {
          const { raw } = await handle.describe();
          return (raw.pendingActivities ?? []).some(({ attempt }) => (attempt ?? 0) > 0) ? true : undefined;
        }, 30_000);
        await handle.cancel();
      }
      await handle.result().catch((error: unknown) => {
        if (!(isOne && shape !== 'asked' && error instanceof WorkflowFailedError)) throw error;
      });
      return handle;
    },
  };
}

const TENANTS_SCHEDULES = {
  consolidation: 'consolidation',
  statisticsRun: 'statistics',
  auditVerification: 'audit-verification',
} as const;

/** The second of three tenants fails; 'continued' has more tenants than a run takes, 'store-away' no store of backups. */
function tenantsScenario(
  workflow: keyof typeof TENANTS_SCHEDULES,
  shape: 'happy' | 'continued' | 'store-away',
): Scenario {
  const fails = (tenantId: string | null) => shape === 'happy' && tenantId === tenant(1);
  const failure = () => ApplicationFailure.create({ type: 'Unexpected', message: 'lost', nonRetryable: true });
  return {
    workflow,
    shape,
    activities: () => ({
      tenantsAfter: tenantsAfter(shape === 'continued' ? 130 : 3),
      collectAuditAnchors: async () => {
        if (shape === 'store-away') throw failure();
        return { manifests: 4, unreadable: 0 };
      },
      verifyAuditLog: async ({ tenantId }) => {
        if (fails(tenantId)) throw failure();
        return { checked: 10, isIntact: tenantId !== tenant(2) };
      },
      consolidate: async ({ tenantId }) => {
        if (fails(tenantId)) throw failure();
        return { scopes: 3, duplicates: 1, superseded: 0, decayed: 20, pruned: 2 };
      },
      takeStatistics: async ({ tenantId }) => {
        if (fails(tenantId)) throw failure();
        return 20;
      },
    }),
    async run(client) {
      const handle = await client.workflow.start(workflow, {
        workflowId: `${workflowIdOf('operation', TENANTS_SCHEDULES[workflow])}/by-hand`,
        taskQueue: QUEUES.session,
        args: [],
      });
      if (shape === 'continued') return firstRun(client, handle);
      await handle.result();
      return handle;
    },
  };
}

/** The shapes of the histories of comparisons and figures. */
export const CHECK_SCENARIOS: readonly Scenario[] = [
  consistencyScenario('happy', 3),
  consistencyScenario('asked', 1),
  consistencyScenario('failed', 1),
  consistencyScenario('cancelled', 1),
  consistencyScenario('continued', 130),
  tenantsScenario('consolidation', 'happy'),
  tenantsScenario('consolidation', 'continued'),
  tenantsScenario('statisticsRun', 'happy'),
  tenantsScenario('statisticsRun', 'continued'),
  tenantsScenario('auditVerification', 'happy'),
  tenantsScenario('auditVerification', 'continued'),
  tenantsScenario('auditVerification', 'store-away'),
];
