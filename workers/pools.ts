import { ConfigError } from '../config/config.ts';
import type { Config } from '../config/config.ts';
import { createPool } from '../stores/postgres/connection/pool.ts';
import type { PoolOptions } from '../stores/postgres/connection/pool.ts';

/** Activities of the maintenance queue at once: a backup, a restore, a retention may each take an hour, and small jobs must find a place beside them. */
export const MAINTENANCE_SLOTS = 6;
/** Activities of the queue of sweeps at once: the sweep of a minute, and the partitions beside it. */
export const SWEEPS_SLOTS = 2;

// With the pools of the application's role (10 in the api, 10 in the worker), of erasures (6), of Temporal (48) and what a backup or a restore opens of its own,
// some hundred of the 120 connections of an instance's PostgreSQL. The chart adds them up for its pods (recollect.maxConnections).

/** One for each activity of the maintenance queue and of the sweeps that may run at once, and one more for what it looks up beside. */
const MAINTENANCE_POOL = MAINTENANCE_SLOTS + SWEEPS_SLOTS + 1;
/**
 * Retention, consistency checks and statistics: an activity that archives uses one connection for its lock and a second for the work under it. With fewer
 * than two for each concurrent activity, they would wait for each other until all time out.
 */
const LONG_STATEMENTS_POOL = 2 * MAINTENANCE_SLOTS + 1;
/** Erasures, exports and imports. */
export const ERASURE_POOL = 6;
/** One statement reads a month or a tenant; no caller waits for it. */
const LONG_STATEMENT_MS = 600_000;

/** Only activities of sweeps and of the maintenance queue use this role; other workers get pools that never connect. @throws ConfigError */
export function maintenanceUrlOf({ database, worker }: Config): string {
  if (database.maintenanceUrl !== undefined) return database.maintenanceUrl;
  const queue = (['maintenance', 'sweeps'] as const).find((each) => worker.queues.includes(each));
  if (queue !== undefined)
    throw new ConfigError(`RECOLLECT_MAINTENANCE_DATABASE_URL: is needed by a worker of the ${queue} queue`);
  return database.url;
}

/**
 * Returns the pools of the maintenance role: `maintenance` for short statements, `longStatements` for those that take minutes and must not delay
 * sweeps. @throws ConfigError
 */
export function createMaintenancePools(config: Config, onIdleError: PoolOptions['onIdleError']) {
  const common = {
    url: maintenanceUrlOf(config),
    connectTimeoutMs: config.database.connectTimeoutMs,
    onIdleError,
  };
  return {
    maintenance: createPool({
      ...common,
      statementTimeoutMs: config.database.statementTimeoutMs,
      max: MAINTENANCE_POOL,
      applicationName: 'recollect-maintenance',
    }),
    longStatements: createPool({
      ...common,
      statementTimeoutMs: LONG_STATEMENT_MS,
      max: LONG_STATEMENTS_POOL,
      applicationName: 'recollect-long-statements',
    }),
  };
}
