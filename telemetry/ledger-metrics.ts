import { Counter } from 'prom-client';
import { fromZero } from './metric-sets.ts';
import type { Registers } from './metric-sets.ts';

/** Purposes of model calls whose answers are cached. */
const OPERATIONS = ['summarise_window', 'summarise_session', 'extract_learnings'] as const;

/** Model calls by the usage ledger, of all tenants. */
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

/** Returns the counters of model calls. `isCached`: their responses are cached; else hits have no series, so that no alert compares them. */
export function createModelMetrics(registers: Registers, isCached: boolean): ModelMetrics {
  return {
    calls: new Counter({
      name: 'recollect_model_calls_total',
      help: `Model calls of all tenants by operation (${OPERATIONS.join(', ')}, embedding); batch: true or false`,
      labelNames: ['provider', 'model', 'operation', 'batch'],
      registers,
    }),
    tokens: new Counter({
      name: 'recollect_model_tokens_total',
      help: 'Tokens of model calls by kind (in, out, cached); `in` includes cached tokens',
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
    cacheHits: fromZero(
      new Counter({
        name: 'recollect_model_cache_hits_total',
        help: `Responses from the model cache by operation (${OPERATIONS.join(', ')}); no value without a cache`,
        labelNames: ['operation'],
        registers,
      }),
      { operation: isCached ? OPERATIONS : [] },
    ),
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

/** Embedding by the database's counters, of all tenants. */
export interface EmbeddingMetrics {
  readonly texts: Counter<'model' | 'from'>;
  readonly batches: Counter<'model'>;
  readonly seconds: Counter<'model'>;
}

/** Returns the counters of embedding, at 0 for the configured model. */
export function createEmbeddingMetrics(registers: Registers, configured: string): EmbeddingMetrics {
  const model = [configured];
  return {
    texts: fromZero(
      new Counter({
        name: 'recollect_embedding_texts_total',
        help: 'Embedded texts by source of the vector (model, cache)',
        labelNames: ['model', 'from'],
        registers,
      }),
      { model, from: ['model', 'cache'] },
    ),
    batches: fromZero(
      new Counter({
        name: 'recollect_embedding_batches_total',
        help: 'Embedded batches',
        labelNames: ['model'],
        registers,
      }),
      { model },
    ),
    seconds: fromZero(
      new Counter({
        name: 'recollect_embedding_seconds_total',
        help: 'Duration of embedded batches',
        labelNames: ['model'],
        registers,
      }),
      { model },
    ),
  };
}
