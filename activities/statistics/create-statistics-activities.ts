import type pg from 'pg';
import { tenantsAfter } from '../../stores/postgres/consistency/ledger.ts';
import { takeSnapshot } from '../../stores/postgres/statistics/take-snapshot.ts';
import type { StatisticsActivities } from '../../workflows/statistics/types.ts';
import { reportProgress, withHeartbeat } from '../heartbeat.ts';

const PAGE = 100;

/** Records the daily statistics of every tenant and the instance. Repeatable. */
export function createStatisticsActivities({ maintenance }: { readonly maintenance: pg.Pool }): StatisticsActivities {
  return {
    takeStatistics: () =>
      withHeartbeat(async (signal) => {
        const day = new Date().toISOString().slice(0, 10);
        let figures = await takeSnapshot(maintenance, null, day);
        let tenants = 0;
        let after: string | null = null;
        for (;;) {
          const page = await tenantsAfter(maintenance, after, PAGE);
          for (const tenantId of page) {
            reportProgress(signal);
            figures += await takeSnapshot(maintenance, tenantId, day);
            after = tenantId;
          }
          tenants += page.length;
          if (page.length < PAGE) return { tenants, figures };
        }
      }),
  };
}
