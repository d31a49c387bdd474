import { fires, silent } from './alert-case.ts';
import type { AlertCase } from './alert-case.ts';

const HITS = 'recollect_model_cache_hits_total{operation="summarise_window"}';
const CALLS = 'recollect_model_calls_total{provider="anthropic",model="m",operation="summarise_window",batch="false"}';
const EMBEDDINGS = 'recollect_model_calls_total{provider="openai",model="m",operation="embedding",batch="false"}';
const DIVERGED = 'recollect_index_divergence{kind="missing"}';
const EXPIRY = 'recollect_tls_certificate_expiry_timestamp_seconds';
const DROPPED = 'recollect_telemetry_dropped_total{job="recollect-worker"}';
const searches = (degraded: string) => `recollect_searches_total{degraded="${degraded}"}`;

/** An objective by the series of its events: `bad` of `all` a minute. */
interface Objective {
  readonly alert: string;
  readonly series: (bad: number, all: number) => Readonly<Record<string, string>>;
  /** Shares that use up the budget just faster and slower than the fast and the slow alert allow. */
  readonly fast: readonly [number, number];
  readonly slow: readonly [number, number];
}

const each = (a: number) => `0+${Math.round(a)}x400`;
const requests = (status: string) => `recollect_http_requests_total{group="hooks",status="${status}"}`;
const OBJECTIVES: readonly Objective[] = [
  {
    alert: 'RecollectCaptureAvailability',
    series: (bad, all) => ({ [requests('5xx')]: each(bad), [requests('2xx')]: each(all - bad) }),
    fast: [0.015, 0.014],
    slow: [0.0011, 0.0009],
  },
  {
    alert: 'RecollectCaptureLatency',
    series: (bad, all) => ({
      'recollect_capture_duration_seconds_bucket{le="0.1"}': each(all - bad),
      recollect_capture_duration_seconds_count: each(all),
    }),
    fast: [0.15, 0.14],
    slow: [0.011, 0.009],
  },
  {
    alert: 'RecollectSearchLatency',
    series: (bad, all) => ({
      'recollect_http_request_duration_seconds_bucket{group="search",le="0.3"}': each(all - bad),
      'recollect_http_request_duration_seconds_count{group="search"}': each(all),
    }),
    fast: [0.15, 0.14],
    slow: [0.011, 0.009],
  },
  {
    alert: 'RecollectSearchable',
    series: (bad, all) => ({
      'recollect_session_searchable_seconds_bucket{le="60"}': each(all - bad),
      recollect_session_searchable_seconds_count: each(all),
    }),
    fast: [0.15, 0.14],
    slow: [0.011, 0.009],
  },
];

const MANY = 10_000;
const objectiveCases = OBJECTIVES.flatMap(({ alert, series, fast, slow }) =>
  (
    [
      ['Fast', fast],
      ['Slow', slow],
    ] as const
  ).flatMap(([speed, [above, below]]) => [
    fires(`${alert}Burn${speed}`, `${above} of the events are bad`, '1h30m', series(above * MANY, MANY)),
    silent(`${alert}Burn${speed}`, `${below} of the events are bad`, '1h30m', series(below * MANY, MANY)),
  ]),
);

/** Cases of the alerts of priority P2, of the objectives and of the watchdog. */
export const OTHER_CASES: readonly AlertCase[] = [
  fires('RecollectIndexDiverged', 'a difference remains', '65m', { [DIVERGED]: '2x70' }),
  silent('RecollectIndexDiverged', 'the next check repairs it', '65m', { [DIVERGED]: '2x30 0x40' }),
  fires('RecollectCacheCold', 'no hit in half a day', '13h', { [HITS]: '0x250', [CALLS]: '0+10x250' }, '4m'),
  silent('RecollectCacheCold', 'a tenth of the requests', '13h', { [HITS]: '0+1x250', [CALLS]: '0+9x250' }, '4m'),
  silent('RecollectCacheCold', 'no model calls', '13h', { [HITS]: '0x250', [CALLS]: '0x250' }, '4m'),
  silent('RecollectCacheCold', 'the cache is off', '13h', { [CALLS]: '0+10x250' }, '4m'),
  silent('RecollectCacheCold', 'embeddings of a provider', '13h', { [HITS]: '0x250', [EMBEDDINGS]: '0+10x250' }, '4m'),
  silent(
    'RecollectCacheCold',
    'fifty requests, counted by two api processes',
    '13h',
    {
      [HITS]: '0x250',
      [`${CALLS.slice(0, -1)},instance="a"}`]: '0+0.6x250',
      [`${CALLS.slice(0, -1)},instance="b"}`]: '0+0.6x250',
    },
    '4m',
  ),
  fires('RecollectCertificate', 'fewer than 14 days', '45m', { [EXPIRY]: '1211000x60' }),
  silent('RecollectCertificate', 'fifteen days', '45m', { [EXPIRY]: '1296000x60' }),
  fires('RecollectSearchDegraded', '6 % lack vectors', '32m', {
    [searches('none')]: '0+94x40',
    [searches('vector')]: '0+6x40',
  }),
  silent('RecollectSearchDegraded', '4 % lack vectors', '32m', {
    [searches('none')]: '0+96x40',
    [searches('vector')]: '0+4x40',
  }),
  fires('RecollectTelemetryLost', 'the collector does not respond', '22m', { [DROPPED]: '0+5x40' }),
  silent('RecollectTelemetryLost', 'the collector returns after ten minutes', '14m', { [DROPPED]: '0+5x10 50x30' }),
  ...objectiveCases,
  silent('RecollectSearchableBurnFast', 'one slow session of three', '1h30m', {
    'recollect_session_searchable_seconds_bucket{le="60"}': '0x30 2x90',
    recollect_session_searchable_seconds_count: '0x30 3x90',
  }),
  fires('RecollectWatchdog', 'nothing', '1m', { up: '1x5' }),
];
