import type pg from 'pg';
import { asId } from '../../domain/ids.ts';
import { takeSnapshot } from '../../stores/postgres/statistics/statistics.ts';
import type { StatisticsActivities } from '../../workflows/operations/types.ts';
import { withHeartbeat } from '../heartbeat.ts';

/** Records the daily statistics of a tenant or of the instance. Repeatable. */
export function createStatisticsActivities({ maintenance }: { readonly maintenance: pg.Pool }): StatisticsActivities {
  return {
    takeStatistics: ({ tenantId, day }) =>
      withHeartbeat(() => takeSnapshot(maintenance, tenantId === null ? null : asId(tenantId), day)),
  };
}
