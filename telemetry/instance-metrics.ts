import { Gauge } from 'prom-client';
import type { Registers } from './metric-sets.ts';

/** Returns a gauge without a series until it is set: 0 would be a figure. */
function unsetGauge(name: string, help: string, registers: Registers): Gauge {
  const gauge = new Gauge({ name, help, registers });
  gauge.remove();
  return gauge;
}

/** Figures of the instance that PostgreSQL has, by the name that its function gives them. */
function createFigureMetrics(registers: Registers) {
  return {
    created: unsetGauge(
      'recollect_instance_created_timestamp_seconds',
      'When the instance was set up, in seconds since 1970',
      registers,
    ),
    unconsumed_rows: unsetGauge(
      'recollect_unconsumed_rows',
      'Captured rows that no workflow has consumed: search by keyword does not find them yet',
      registers,
    ),
    unconsumed_oldest_age: unsetGauge(
      'recollect_unconsumed_oldest_age_seconds',
      'Age of the oldest captured row that no workflow has consumed; 0 without one',
      registers,
    ),
    unfindable_rows: unsetGauge(
      'recollect_unfindable_rows',
      'Rows of sessions whose oldest unconsumed row is older than five minutes; should be 0',
      registers,
    ),
    sessions: new Gauge({
      name: 'recollect_sessions_in_progress',
      help: 'Sessions that are not settled by phase (active, summarising, closing, cancelled)',
      labelNames: ['phase'],
      registers,
    }),
    windows: new Gauge({
      name: 'recollect_windows',
      help: 'Windows of sessions in progress that have no summary by state (pending, batched, parked)',
      labelNames: ['state'],
      registers,
    }),
    vectors: new Gauge({
      name: 'recollect_vectors',
      help: 'Chunks of the ledger without a vector by state (pending, failed); at most 100,000 of each are counted',
      labelNames: ['state'],
      registers,
    }),
    rows: new Gauge({
      name: 'recollect_rows_estimate',
      help: 'Rows by table, as PostgreSQL estimates them (sessions, prompts, observations, summaries, learnings, entities, embeddings)',
      labelNames: ['table'],
      registers,
    }),
    database_size: unsetGauge(
      'recollect_database_size_bytes',
      'Size of the tables and indexes, as PostgreSQL estimates it',
      registers,
    ),
    budget_used: unsetGauge(
      'recollect_budget_used_ratio',
      'Largest share of the daily tokens that a user has used',
      registers,
    ),
    audit_verified: unsetGauge(
      'recollect_audit_verified',
      '0 if a verification of the last 25 hours found a fault in an audit log, otherwise 1',
      registers,
    ),
  };
}

export type FigureMetrics = ReturnType<typeof createFigureMetrics>;

/** Times and size of the newest backups. */
export interface BackupMetrics {
  readonly success: Gauge;
  readonly bytes: Gauge;
  readonly verified: Gauge;
  readonly copied: Gauge;
}

function createBackupMetrics(registers: Registers): BackupMetrics {
  return {
    success: unsetGauge(
      'recollect_backup_last_success_timestamp_seconds',
      'Snapshot time of the newest complete backup; no value without one',
      registers,
    ),
    bytes: unsetGauge('recollect_backup_size_bytes', 'Stored size of the newest complete backup', registers),
    verified: unsetGauge(
      'recollect_backup_verified_timestamp_seconds',
      'Snapshot time of the newest backup that was verified or restored by a drill; no value without one',
      registers,
    ),
    copied: unsetGauge(
      'recollect_backup_copy_timestamp_seconds',
      'Snapshot time of the newest backup with a verified off-site copy; no value without one',
      registers,
    ),
  };
}

/** Times of the schedules, by name. */
function createScheduleMetrics(registers: Registers) {
  return {
    success: new Gauge({
      name: 'recollect_schedule_last_success_timestamp_seconds',
      help: 'End of the newest completed run of a schedule; before the first one, the creation of the schedule',
      labelNames: ['schedule'],
      registers,
    }),
    interval: new Gauge({
      name: 'recollect_schedule_interval_seconds',
      help: 'Time between two runs of a schedule; no value while it is paused',
      labelNames: ['schedule'],
      registers,
    }),
  };
}

export type ScheduleMetrics = ReturnType<typeof createScheduleMetrics>;

/** Gauges of the instance, which every api reads and exports: use the maximum of them, not the sum. */
export function createInstanceMetrics(registers: Registers) {
  return {
    read: unsetGauge(
      'recollect_instance_read_timestamp_seconds',
      'When this process last read all figures of the instance from PostgreSQL',
      registers,
    ),
    figures: createFigureMetrics(registers),
    backups: createBackupMetrics(registers),
    schedules: createScheduleMetrics(registers),
    dependencyUp: new Gauge({
      name: 'recollect_dependency_up',
      help: '1 if a dependency (postgres, temporal, weaviate, embedder) responds to this process, otherwise 0',
      labelNames: ['dependency'],
      registers,
    }),
    indexDivergence: new Gauge({
      name: 'recollect_index_divergence',
      help: 'Differences by kind (docs/consistency.md) that remain after the last consistency check of each tenant',
      labelNames: ['kind'],
      registers,
    }),
    gdprRequests: new Gauge({
      name: 'recollect_gdpr_requests_open',
      help: 'Open requests about personal data by deadline: overdue, or due within seven days (soon)',
      labelNames: ['due'],
      registers,
    }),
  };
}
