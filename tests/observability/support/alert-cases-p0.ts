import { fires, silent } from './alert-case.ts';
import type { AlertCase } from './alert-case.ts';

const UP = { 'up{job="recollect-api",instance="a"}': '1x40', 'up{job="recollect-worker",instance="b"}': '1x40' };
const FAILED = 'recollect_http_requests_total{group="search",status="5xx"}';
const ANSWERED = 'recollect_http_requests_total{group="search",status="2xx"}';
const NOT_STORED = 'recollect_capture_events_total{job="recollect-api",outcome="failed"}';
const BACKUP = 'recollect_backup_last_success_timestamp_seconds{instance="a"}';
const VERIFIED = 'recollect_backup_verified_timestamp_seconds{instance="a"}';
const BACKUP_EVERY = 'recollect_schedule_interval_seconds{instance="a",schedule="backup"}';
const CREATED = 'recollect_instance_created_timestamp_seconds{instance="a"}';
const POSTGRES = 'recollect_dependency_up{dependency="postgres"}';

/** Cases of the alerts of priority P0. */
export const CASES_P0: readonly AlertCase[] = [
  fires('RecollectDown', 'the api stops', '8m', { ...UP, 'up{job="recollect-api",instance="a"}': '1x5 0x10' }),
  fires('RecollectDown', 'the series of the worker end', '13m', {
    ...UP,
    'up{job="recollect-worker",instance="b"}': '1x5 _x20',
  }),
  silent('RecollectDown', 'one of two api processes stops', '20m', {
    ...UP,
    'up{job="recollect-api",instance="c"}': '0x40',
  }),
  silent(
    'RecollectDown',
    'a restart of half a minute',
    '3m',
    { ...UP, 'up{job="recollect-api",instance="a"}': '1x4 0x1 1x20' },
    '15s',
  ),
  fires('RecollectDatabaseDown', 'unavailable for two minutes', '6m', { [POSTGRES]: '1x3 0x5' }),
  silent('RecollectDatabaseDown', 'unavailable for half a minute', '2m', { [POSTGRES]: '1 1 0 0 1 1 1 1 1' }, '15s'),
  fires('RecollectErrorRate', 'a third fails', '10m', { [FAILED]: '0+10x20', [ANSWERED]: '0+20x20' }),
  silent('RecollectErrorRate', '19 % fail', '10m', { [FAILED]: '0+19x20', [ANSWERED]: '0+81x20' }),
  silent('RecollectErrorRate', 'one failure on a quiet instance', '10m', { [FAILED]: '0x8 1x10', [ANSWERED]: '0x20' }),
  silent('RecollectErrorRate', 'no traffic', '10m', { [FAILED]: '0x20', [ANSWERED]: '0x20' }),
  fires('RecollectCaptureFails', 'an event fails', '9m', { [NOT_STORED]: '0x5 1x10' }),
  fires('RecollectCaptureFails', 'the first event of a process fails', '9m', { [NOT_STORED]: '_x5 1x10' }),
  silent('RecollectCaptureFails', 'failures of long ago', '30m', { [NOT_STORED]: '0x5 1x40' }),
  // A failed scrape leaves the mark of an ended series. The alert would fire as long as the gap lasts: it is longer than `for`.
  silent('RecollectCaptureFails', 'scrapes failed five minutes ago', '48m', { [NOT_STORED]: '3x40 stale _x3 3x60' }),
  fires('RecollectUnfindable', 'rows remain unconsumed', '35m', { recollect_unfindable_rows: '5x40' }),
  silent('RecollectUnfindable', 'two short lags', '35m', { recollect_unfindable_rows: '5x12 0x3 5x20' }),
  // Samples begin at the time 0: backups are of before.
  fires('RecollectBackupOld', 'the last backup is 13 hours old', '25m', {
    [BACKUP]: '-46800x40',
    [CREATED]: '-900000x40',
  }),
  fires('RecollectBackupOld', 'there never was a backup', '25m', { [CREATED]: '-46800x40' }),
  silent('RecollectBackupOld', 'twelve hours', '25m', { [BACKUP]: '-43200x40', [CREATED]: '-900000x40' }),
  fires('RecollectBackupOld', 'three hours with backups every hour', '15m', {
    [BACKUP]: '-10900x20',
    [BACKUP_EVERY]: '3600x20',
    [CREATED]: '-900000x20',
  }),
  silent('RecollectBackupOld', 'two days with backups every day', '25m', {
    [BACKUP]: '-172800x40',
    [BACKUP_EVERY]: '86400x40',
    [CREATED]: '-900000x40',
  }),
  silent('RecollectBackupOld', 'a new backup ends it', '25m', {
    [BACKUP]: '-46000x20 -60x20',
    [CREATED]: '-900000x40',
  }),
  silent('RecollectBackupOld', 'the process ended, which is another alert', '40m', { [BACKUP]: '-46000x5 _x40' }),
  fires('RecollectBackupUnverified', 'two drills failed', '65m', { [VERIFIED]: '-691200x70', [CREATED]: '-900000x70' }),
  fires('RecollectBackupUnverified', 'there never was a drill', '65m', { [CREATED]: '-691200x70' }),
  silent('RecollectBackupUnverified', 'the drill of a week ago', '65m', {
    [VERIFIED]: '-604800x70',
    [CREATED]: '-900000x70',
  }),
  fires('RecollectAuditBroken', 'one verification finds a fault', '6m', { recollect_audit_verified: '1x5 0 1x5' }),
  silent('RecollectAuditBroken', 'all verifications pass', '6m', { recollect_audit_verified: '1x10' }),
];
