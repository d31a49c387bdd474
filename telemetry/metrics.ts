import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

const LATENCY_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export interface CaptureMetrics {
  readonly captured: Counter<'outcome'>;
}

/** What models did, as the ledger knows it. */
export interface ModelMetrics {
  readonly calls: Counter<'provider' | 'model' | 'operation' | 'batch'>;
  /** `kind`: in, out, cached; the cached ones are a part of those in. */
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
      help: 'Model calls that were made, in all tenants',
      labelNames: ['provider', 'model', 'operation', 'batch'],
      registers,
    }),
    tokens: new Counter({
      name: 'recollect_model_tokens_total',
      help: 'Tokens of model calls by kind; cached ones are a part of those in',
      labelNames: ['provider', 'model', 'kind'],
      registers,
    }),
    usd: new Counter({
      name: 'recollect_model_cost_usd_total',
      help: 'US dollars that model calls cost',
      labelNames: ['provider', 'model'],
      registers,
    }),
    seconds: new Counter({
      name: 'recollect_model_seconds_total',
      help: 'Time that model calls took',
      labelNames: ['provider', 'model'],
      registers,
    }),
    cacheHits: new Counter({
      name: 'recollect_model_cache_hits_total',
      help: 'Answers that were taken from the cache instead of a call',
      labelNames: ['operation'],
      registers,
    }),
    budgetAlerts: new Counter({
      name: 'recollect_budget_alerts_total',
      help: 'Users whose daily tokens came to the share of the settings',
      registers,
    }),
    claimsDropped: new Counter({
      name: 'recollect_claims_dropped_total',
      help: 'Claims of models that no captured row said',
      registers,
    }),
  };
}

/** What the embedding models did, as the database knows it. */
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
      help: 'Texts that got a vector, by whether a model made it or it was kept',
      labelNames: ['model', 'from'],
      registers,
    }),
    batches: new Counter({
      name: 'recollect_embedding_batches_total',
      help: 'Batches that a model embedded',
      labelNames: ['model'],
      registers,
    }),
    seconds: new Counter({
      name: 'recollect_embedding_seconds_total',
      help: 'Time that batches took',
      labelNames: ['model'],
      registers,
    }),
  };
}

/** The last backup, and how far it is to be trusted. Ages in seconds, of what a restore of it would bring back. */
export interface BackupMetrics {
  readonly age: Gauge;
  readonly bytes: Gauge;
  readonly verifiedAge: Gauge;
  readonly copiedAge: Gauge;
}

function createBackupMetrics(registers: Registry[]): BackupMetrics {
  return {
    age: new Gauge({
      name: 'recollect_backup_age_seconds',
      help: 'Age of the last whole backup; infinite where there is none',
      registers,
    }),
    bytes: new Gauge({
      name: 'recollect_backup_size_bytes',
      help: 'Size of the last whole backup, as stored',
      registers,
    }),
    verifiedAge: new Gauge({
      name: 'recollect_backup_verified_age_seconds',
      help: 'Age of the last backup that was read back or restored and found good',
      registers,
    }),
    copiedAge: new Gauge({
      name: 'recollect_backup_copy_age_seconds',
      help: 'Age of the last backup whose off-site copy was read back and found the same',
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
    models: createModelMetrics(registers),
    embedding: createEmbeddingMetrics(registers),
    backups: createBackupMetrics(registers),
    requests: new Counter({
      name: 'recollect_http_requests_total',
      help: 'Requests answered',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    duration: new Histogram({
      name: 'recollect_http_request_duration_seconds',
      help: 'Time from the first byte to the answer',
      labelNames: ['method', 'route'],
      buckets: LATENCY_SECONDS,
      registers,
    }),
    captured: new Counter({
      name: 'recollect_capture_events_total',
      help: 'Events by what became of them',
      labelNames: ['outcome'],
      registers,
    }),
    hintsSent: new Counter({ name: 'recollect_hints_sent_total', help: 'Hints that a workflow took', registers }),
    hintsFailed: new Counter({
      name: 'recollect_hints_failed_total',
      help: 'Hints that did not arrive; the sweep repeats them',
      registers,
    }),
    indexDivergence: new Gauge({
      name: 'recollect_index_divergence',
      help: 'What the last comparison of each tenant found and did not mend',
      labelNames: ['kind'],
      registers,
    }),
    hintsWaiting: new Gauge({
      name: 'recollect_hints_pending',
      help: 'Sessions whose hint waits or is on its way',
      registers,
    }),
    retentionRows: new Counter({
      name: 'recollect_retention_rows_total',
      help: 'Rows that retention deleted, archived or lowered, by their kind; of sessions, sessions',
      labelNames: ['type', 'action'],
      registers,
    }),
    poolConnections: new Gauge({
      name: 'recollect_db_pool_connections',
      help: 'Connections by state',
      labelNames: ['state'],
      registers,
    }),
    searches: new Counter({
      name: 'recollect_searches_total',
      help: 'Searches by what they lacked',
      labelNames: ['degraded'],
      registers,
    }),
    searchDuration: new Histogram({
      name: 'recollect_search_stage_duration_seconds',
      help: 'Time of each stage of a search',
      labelNames: ['stage'],
      buckets: LATENCY_SECONDS,
      registers,
    }),
  };
}
