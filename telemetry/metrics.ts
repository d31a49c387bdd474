import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import { createDroppedCounter } from './dropped-counter.ts';

const LATENCY_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export interface CaptureMetrics {
  readonly captured: Counter<'outcome'>;
}

/** Model calls by the usage ledger. */
export interface ModelMetrics {
  readonly calls: Counter<'provider' | 'model' | 'operation' | 'batch'>;
  /** `kind`: in, out, cached; cached tokens are included in `in`. */
  readonly tokens: Counter<'provider' | 'model' | 'kind'>;
  readonly usd: Counter<'provider' | 'model'>;
  readonly seconds: Counter<'provider' | 'model'>;
  readonly cacheHits: Counter<'operation'>;
  readonly budgetAlerts: Counter;
  readonly claimsDropped: Counter;
}

function createModelMetrics(registers: Registry[]): ModelMetrics {
  return {
    calls: new Counter({
      name: 'recollect_model_calls_total',
      help: 'Model calls of all tenants',
      labelNames: ['provider', 'model', 'operation', 'batch'],
      registers,
    }),
    tokens: new Counter({
      name: 'recollect_model_tokens_total',
      help: 'Tokens of model calls by kind; `in` includes cached tokens',
      labelNames: ['provider', 'model', 'kind'],
      registers,
    }),
    usd: new Counter({
      name: 'recollect_model_cost_usd_total',
      help: 'Cost of model calls in US dollars',
      labelNames: ['provider', 'model'],
      registers,
    }),
    seconds: new Counter({
      name: 'recollect_model_seconds_total',
      help: 'Duration of model calls',
      labelNames: ['provider', 'model'],
      registers,
    }),
    cacheHits: new Counter({
      name: 'recollect_model_cache_hits_total',
      help: 'Responses from the model cache',
      labelNames: ['operation'],
      registers,
    }),
    budgetAlerts: new Counter({
      name: 'recollect_budget_alerts_total',
      help: 'Alerts for users whose daily tokens exceed the configured share',
      registers,
    }),
    claimsDropped: new Counter({
      name: 'recollect_claims_dropped_total',
      help: 'Claims of models dropped for lack of evidence',
      registers,
    }),
  };
}

/** Embedding by the database's counters. */
export interface EmbeddingMetrics {
  /** `from`: model, cache. */
  readonly texts: Counter<'model' | 'from'>;
  readonly batches: Counter<'model'>;
  readonly seconds: Counter<'model'>;
}

function createEmbeddingMetrics(registers: Registry[]): EmbeddingMetrics {
  return {
    texts: new Counter({
      name: 'recollect_embedding_texts_total',
      help: 'Embedded texts by source of the vector: model or cache',
      labelNames: ['model', 'from'],
      registers,
    }),
    batches: new Counter({
      name: 'recollect_embedding_batches_total',
      help: 'Embedded batches',
      labelNames: ['model'],
      registers,
    }),
    seconds: new Counter({
      name: 'recollect_embedding_seconds_total',
      help: 'Duration of embedded batches',
      labelNames: ['model'],
      registers,
    }),
  };
}

/** Age (of the snapshot, in seconds) and size of the newest backups. */
export interface BackupMetrics {
  readonly age: Gauge;
  readonly bytes: Gauge;
  readonly verifiedAge: Gauge;
  readonly copyAge: Gauge;
}

function createBackupMetrics(registers: Registry[]): BackupMetrics {
  return {
    age: new Gauge({
      name: 'recollect_backup_age_seconds',
      help: 'Age of the newest complete backup; infinite without one',
      registers,
    }),
    bytes: new Gauge({
      name: 'recollect_backup_size_bytes',
      help: 'Stored size of the newest complete backup',
      registers,
    }),
    verifiedAge: new Gauge({
      name: 'recollect_backup_verified_age_seconds',
      help: 'Age of the newest verified or restored backup',
      registers,
    }),
    copyAge: new Gauge({
      name: 'recollect_backup_copy_age_seconds',
      help: 'Age of the newest backup with a verified off-site copy',
      registers,
    }),
  };
}

/** Metrics of the api process. Labels are closed lists: no ids, no paths with ids, no text. */
export function createApiMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    telemetryDropped: createDroppedCounter(registers),
    models: createModelMetrics(registers),
    embedding: createEmbeddingMetrics(registers),
    backups: createBackupMetrics(registers),
    requests: new Counter({
      name: 'recollect_http_requests_total',
      help: 'HTTP requests',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    duration: new Histogram({
      name: 'recollect_http_request_duration_seconds',
      help: 'Duration of HTTP requests',
      labelNames: ['method', 'route'],
      buckets: LATENCY_SECONDS,
      registers,
    }),
    captured: new Counter({
      name: 'recollect_capture_events_total',
      help: 'Captured events by outcome',
      labelNames: ['outcome'],
      registers,
    }),
    hintsSent: new Counter({ name: 'recollect_hints_sent_total', help: 'Hints accepted by Temporal', registers }),
    hintsFailed: new Counter({
      name: 'recollect_hints_failed_total',
      help: 'Failed hints; the sweep resends them',
      registers,
    }),
    rateLimited: new Counter({
      name: 'recollect_rate_limited_total',
      help: 'Requests rejected by a rate limit, by class',
      labelNames: ['class'],
      registers,
    }),
    refreshReuse: new Counter({
      name: 'recollect_refresh_token_reuse_total',
      help: 'Sessions that ended because a refresh token was used twice',
      registers,
    }),
    auditFailures: new Counter({
      name: 'recollect_audit_failures_total',
      help: 'Requests that could not be stored in the audit log',
      registers,
    }),
    indexDivergence: new Gauge({
      name: 'recollect_index_divergence',
      help: 'Differences that remain after the last consistency check of each tenant',
      labelNames: ['kind'],
      registers,
    }),
    hintsPending: new Gauge({
      name: 'recollect_hints_pending',
      help: 'Sessions with a pending hint',
      registers,
    }),
    openStreams: new Gauge({ name: 'recollect_streams_open', help: 'Open event streams', registers }),
    gdprRequests: new Gauge({
      name: 'recollect_gdpr_requests_open',
      help: 'Open requests about personal data that are overdue, and that are due within seven days',
      labelNames: ['due'],
      registers,
    }),
    retentionRows: new Counter({
      name: 'recollect_retention_rows_total',
      help: 'Rows that retention deleted, archived or decayed, by type; sessions count as one',
      labelNames: ['type', 'action'],
      registers,
    }),
    poolConnections: new Gauge({
      name: 'recollect_db_pool_connections',
      help: 'Database connections by state',
      labelNames: ['state'],
      registers,
    }),
    searches: new Counter({
      name: 'recollect_searches_total',
      help: 'Searches by unavailable component',
      labelNames: ['degraded'],
      registers,
    }),
    searchDuration: new Histogram({
      name: 'recollect_search_stage_duration_seconds',
      help: 'Duration of search stages',
      labelNames: ['stage'],
      buckets: LATENCY_SECONDS,
      registers,
    }),
  };
}
