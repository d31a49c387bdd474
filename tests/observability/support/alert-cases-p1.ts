import { fires, silent } from './alert-case.ts';
import type { AlertCase } from './alert-case.ts';

const duration = (le: string, group = 'search') =>
  `recollect_http_request_duration_seconds_bucket{group="${group}",le="${le}"}`;
const WEAVIATE = 'recollect_dependency_up{dependency="weaviate"}';
const PENDING = 'recollect_vectors{state="pending"}';
const TEXTS = 'recollect_embedding_texts_total{model="m",from="model"}';
const FREE = 'recollect_disk_free_bytes{job="recollect-api",instance="a",volume="archive"}';
const SIZE = 'recollect_disk_size_bytes{job="recollect-api",instance="a",volume="archive"}';
const USED = 'recollect_memory_used_bytes{instance="a"}';
const LIMIT = 'recollect_memory_limit_bytes{instance="a"}';
const WAITING = 'recollect_db_pool_connections{job="recollect-api",instance="a",pool="app",state="waiting"}';
const REPLAY =
  'temporal_workflow_task_execution_failed_total{workflow_type="session",failure_reason="NonDeterminismError"}';
const SUCCESS = 'recollect_schedule_last_success_timestamp_seconds{schedule="backup"}';
const INTERVAL = 'recollect_schedule_interval_seconds{schedule="backup"}';
const refreshes = (result: string) => `recollect_auth_refresh_total{job="recollect-api",result="${result}"}`;
const attempts = (result: string) => `recollect_auth_attempts_total{result="${result}"}`;

/** Cases of the alerts of priority P1. */
export const CASES_P1: readonly AlertCase[] = [
  fires('RecollectSlow', 'a tenth takes more than a second', '15m', {
    [duration('1')]: '0+90x30',
    [duration('2.5')]: '0+100x30',
    [duration('+Inf')]: '0+100x30',
  }),
  silent('RecollectSlow', 'for five minutes only', '11m', {
    [duration('1')]: '0+90x5 550+100x25',
    [duration('2.5')]: '0+100x5 600+100x25',
    [duration('+Inf')]: '0+100x5 600+100x25',
  }),
  silent('RecollectSlow', 'large batches of events', '15m', {
    [duration('1', 'events')]: '0x30',
    [duration('2.5', 'events')]: '0+100x30',
    [duration('+Inf', 'events')]: '0+100x30',
  }),
  fires('RecollectDependencyDegraded', 'Weaviate does not respond', '11m', { [WEAVIATE]: '0x15' }),
  silent('RecollectDependencyDegraded', 'Weaviate restarts', '11m', { [WEAVIATE]: '0x5 1x10' }),
  fires('RecollectBacklog', 'no worker consumes', '15m', { recollect_unconsumed_oldest_age_seconds: '600+60x20' }),
  silent('RecollectBacklog', 'a burst drains', '11m', { recollect_unconsumed_oldest_age_seconds: '600x5 0x10' }),
  fires('RecollectVectorsStuck', 'nothing is embedded', '18m', { [PENDING]: '10x40', [TEXTS]: '5x40' }),
  silent('RecollectVectorsStuck', 'an import is embedded', '18m', { [PENDING]: '9000x40', [TEXTS]: '0+10x40' }),
  fires('RecollectDiskLow', 'a sixth is free', '11m', { [FREE]: '15x15', [SIZE]: '100x15' }),
  fires('RecollectDiskLow', 'full within a day', '5h', { [FREE]: '1000000-1000x400', [SIZE]: '1200000x400' }),
  fires('RecollectDiskLow', 'full within a day, after a failed scrape', '5h', {
    [FREE]: '1000000-1000x119 stale 879000-1000x279',
    [SIZE]: '1200000x400',
  }),
  silent('RecollectDiskLow', 'a build fills a third in half an hour, on a new instance', '31m', {
    [FREE]: '1000000-10000x60',
    [SIZE]: '1200000x60',
  }),
  silent('RecollectDiskLow', 'a quarter is free, unchanged', '5h', { [FREE]: '25x400', [SIZE]: '100x400' }),
  fires('RecollectMemory', '95 %', '11m', { [USED]: '95x15', [LIMIT]: '100x15' }),
  silent('RecollectMemory', 'a peak of three minutes', '11m', { [USED]: '50x5 95x3 50x10', [LIMIT]: '100x20' }),
  fires('RecollectPoolWaiting', 'for six minutes', '6m', { [WAITING]: '3x10' }),
  silent('RecollectPoolWaiting', 'with a gap', '8m', { [WAITING]: '3x3 0 3x10' }),
  fires('RecollectBudget', 'from 79 to 80 %', '3m', { recollect_budget_used_ratio: '0.79 0.79 0.8 0.8' }),
  silent('RecollectBudget', '79 %', '3m', { recollect_budget_used_ratio: '0.79x5' }),
  fires('RecollectNonDeterminism', 'a series that begins at 1', '4m', { [REPLAY]: '_x2 1x10' }),
  fires('RecollectNonDeterminism', 'one more later', '22m', { [REPLAY]: '1x20 2x5' }),
  silent('RecollectNonDeterminism', 'a failure of long ago', '25m', { [REPLAY]: '1x30' }),
  fires('RecollectNonDeterminism', 'a restarted worker retries', '45m', { [REPLAY]: '1x20 stale _x20 1 2x10' }),
  silent('RecollectNonDeterminism', 'a scrape failed ten minutes ago', '50m', { [REPLAY]: '3x39 stale 3x60' }),
  fires('RecollectScheduleMissed', 'two intervals without a success', '2h20m', {
    [SUCCESS]: '0x200',
    [INTERVAL]: '3600x200',
  }),
  silent('RecollectScheduleMissed', 'one interval late', '1h50m', { [SUCCESS]: '0x200', [INTERVAL]: '3600x200' }),
  silent('RecollectScheduleMissed', 'it is paused', '2h20m', { [SUCCESS]: '0x200' }),
  fires('RecollectGdprOverdue', 'one for more than an hour', '65m', {
    'recollect_gdpr_requests_open{due="overdue"}': '1x70',
  }),
  silent('RecollectGdprOverdue', 'one is due soon', '65m', {
    'recollect_gdpr_requests_open{due="overdue"}': '0x70',
    'recollect_gdpr_requests_open{due="soon"}': '1x70',
  }),
  fires('RecollectAuditNotRecorded', 'one request', '5m', {
    'recollect_audit_failures_total{job="recollect-api"}': '0x3 1x5',
  }),
  silent('RecollectAuditNotRecorded', 'all are recorded', '5m', {
    'recollect_audit_failures_total{job="recollect-api"}': '0x10',
  }),
  silent('RecollectAuditNotRecorded', 'a scrape failed ten minutes ago', '50m', {
    'recollect_audit_failures_total{job="recollect-api"}': '3x39 stale 3x60',
  }),
  fires('RecollectLoginAttack', 'ten wrong passwords a minute', '12m', {
    [attempts('refused')]: '0+8x20',
    [attempts('locked')]: '0+2x20',
  }),
  silent('RecollectLoginAttack', 'slow guessing', '12m', {
    [attempts('refused')]: '0+2x20',
    [attempts('locked')]: '0x20',
  }),
  silent('RecollectLoginAttack', 'many log in', '12m', {
    [attempts('accepted')]: '0+90x20',
    [attempts('refused')]: '0x20',
  }),
  fires('RecollectRefreshReuse', 'one reuse', '5m', { [refreshes('reused')]: '0x3 1x5' }),
  silent('RecollectRefreshReuse', 'tokens rotate, and lost responses are repeated', '5m', {
    [refreshes('rotated')]: '0+10x10',
    [refreshes('repeated')]: '0+1x10',
    [refreshes('reused')]: '0x10',
  }),
  silent(
    'RecollectRefreshReuse',
    'a scrape failed an hour ago',
    '12615s',
    { [refreshes('reused')]: '3x600 stale 3x600' },
    '15s',
  ),
  fires('RecollectRefreshReuse', 'a new process begins at one', '70m', {
    [refreshes('reused')]: '0x100',
    'recollect_auth_refresh_total{job="recollect-api",result="reused",instance="new"}': '_x65 1x30',
  }),
];
