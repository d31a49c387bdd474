import { Counter, Gauge, Histogram } from 'prom-client';
import { createInstanceMetrics } from './instance-metrics.ts';
import { createEmbeddingMetrics, createModelMetrics } from './ledger-metrics.ts';
import { fromZero, LATENCY_SECONDS } from './metric-sets.ts';
import type { Registers } from './metric-sets.ts';
import { createProcessMetrics } from './process-metrics.ts';

const OUTCOMES = ['accepted', 'duplicate', 'rejected', 'excluded', 'refused', 'failed'] as const;
const LIMITS = ['capture', 'read', 'write', 'admin', 'key', 'unknownKeys', 'loginStarts', 'refusal'] as const;
const ATTEMPTS = ['accepted', 'refused', 'locked'] as const;
const REFRESHES = ['rotated', 'repeated', 'reused', 'refused'] as const;
/** How a request with a refresh token ended. */
export type RefreshResult = (typeof REFRESHES)[number];
/** Classes of status codes of responses. */
export const STATUS_CLASSES = ['2xx', '3xx', '4xx', '5xx'] as const;
const STAGES =
  'understand, embed, keyword, vector, unindexed, recency, recall, fuse, inspect, rerank, score, read' as const;
/** Parts of a search, in the order of their combinations. */
const PARTS = ['vector', 'keyword', 'rerank'] as const;

/** Returns every combination of parts, joined by commas; `none` for the empty one. */
function degradations(): string[] {
  const choices = Array.from({ length: 2 ** PARTS.length }, (_, bits) =>
    PARTS.filter((_part, n) => (bits >> n) % 2 === 1),
  );
  return choices.map(degradedLabel);
}

/** Returns the name of a set of unavailable parts of a search in the label `degraded`. */
export function degradedLabel(parts: readonly string[]): string {
  return PARTS.filter((part) => parts.includes(part)).join(',') || 'none';
}

/** Returns the class of a status code, such as `4xx`. */
export function statusClass(status: number): string {
  return STATUS_CLASSES[Math.floor(status / 100) - 2] ?? '5xx';
}

function createHttpMetrics(registers: Registers) {
  return {
    requests: new Counter({
      name: 'recollect_http_requests_total',
      help: `HTTP requests by group of routes (first segment of the path; other: no route) and class of status (${STATUS_CLASSES.join(', ')})`,
      labelNames: ['group', 'status'],
      registers,
    }),
    duration: new Histogram<'group' | 'trace_id'>({
      name: 'recollect_http_request_duration_seconds',
      help: 'Duration of HTTP requests by group of routes (first segment of the path), event streams excluded; in OpenMetrics with the trace of the last traced request of each bucket',
      enableExemplars: true,
      labelNames: ['group'],
      buckets: LATENCY_SECONDS,
      registers,
    }),
    inFlight: new Gauge({
      name: 'recollect_http_requests_in_flight',
      help: 'HTTP requests without a complete response, event streams included',
      registers,
    }),
  };
}

/** What the intake counts. */
export interface CaptureMetrics {
  readonly captured: Counter<'outcome'>;
  readonly captureDuration: Histogram;
}

function createCaptureMetrics(registers: Registers) {
  return {
    captured: fromZero(
      new Counter({
        name: 'recollect_capture_events_total',
        help: `Captured events by outcome (${OUTCOMES.join(', ')}); refused: PostgreSQL rejects its values; failed: PostgreSQL is unavailable`,
        labelNames: ['outcome'],
        registers,
      }),
      { outcome: OUTCOMES },
    ),
    captureDuration: new Histogram({
      name: 'recollect_capture_duration_seconds',
      help: 'Time to redact and commit an event that comes alone, as hooks do',
      buckets: LATENCY_SECONDS,
      registers,
    }),
    hintsSent: new Counter({ name: 'recollect_hints_sent_total', help: 'Hints accepted by Temporal', registers }),
    hintsFailed: new Counter({
      name: 'recollect_hints_failed_total',
      help: 'Failed hints; the sweep resends them',
      registers,
    }),
    hintsPending: new Gauge({
      name: 'recollect_hints_pending',
      help: 'Sessions with a pending hint',
      registers,
    }),
  };
}

function createAccessMetrics(registers: Registers) {
  return {
    rateLimited: fromZero(
      new Counter({
        name: 'recollect_rate_limited_total',
        help: `Requests rejected by a rate limit by class (${LIMITS.join(', ')})`,
        labelNames: ['class'],
        registers,
      }),
      { class: LIMITS },
    ),
    authAttempts: fromZero(
      new Counter({
        name: 'recollect_auth_attempts_total',
        help: `Attempts to prove an identity by password or code by result (${ATTEMPTS.join(', ')})`,
        labelNames: ['result'],
        registers,
      }),
      { result: ATTEMPTS },
    ),
    authRefresh: fromZero(
      new Counter({
        name: 'recollect_auth_refresh_total',
        help: `Uses of refresh tokens of sessions and of OAuth grants by result (${REFRESHES.join(', ')}); repeated: a lost response was requested again; reused: the token was used before, so its session or grant ended; refused: unknown or ended`,
        labelNames: ['result'],
        registers,
      }),
      { result: REFRESHES },
    ),
    auditFailures: new Counter({
      name: 'recollect_audit_failures_total',
      help: 'Requests that could not be stored in the audit log; should be 0',
      registers,
    }),
    certificateExpiry: new Gauge({
      name: 'recollect_tls_certificate_expiry_timestamp_seconds',
      help: 'End of the certificate of the api; no value without TLS',
      registers,
    }),
    openStreams: new Gauge({ name: 'recollect_streams_open', help: 'Open event streams', registers }),
  };
}

/**
 * Metrics of the api process. Labels are closed lists: no ids, no paths, no text. `embeddingModel`: of the settings. `isCached`: responses of models are cached. A request adds to the series of
 * its group, not of its route, so that their number is bounded; logs name the route.
 */
export function createApiMetrics(version: string, embeddingModel: string, isCached: boolean) {
  const ofProcess = createProcessMetrics('api', version);
  const registers = [ofProcess.registry];
  const access = createAccessMetrics(registers);
  access.certificateExpiry.remove();
  return {
    ...ofProcess,
    ...createInstanceMetrics(registers),
    models: createModelMetrics(registers, isCached),
    embedding: createEmbeddingMetrics(registers, embeddingModel),
    ...createHttpMetrics(registers),
    ...createCaptureMetrics(registers),
    ...access,
    retentionRows: new Counter({
      name: 'recollect_retention_rows_total',
      help: 'Rows that retention processed by type and action (delete, archive, decay); sessions count as one',
      labelNames: ['type', 'action'],
      registers,
    }),
    searches: fromZero(
      new Counter({
        name: 'recollect_searches_total',
        help: `Searches by unavailable parts (none, or ${PARTS.join(', ')}, joined by commas)`,
        labelNames: ['degraded'],
        registers,
      }),
      { degraded: degradations() },
    ),
    searchDuration: new Histogram({
      name: 'recollect_search_stage_duration_seconds',
      help: `Duration of search stages (${STAGES})`,
      labelNames: ['stage'],
      buckets: LATENCY_SECONDS,
      registers,
    }),
  };
}

export type ApiMetrics = ReturnType<typeof createApiMetrics>;
