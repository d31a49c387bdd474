import { graph, orEmpty } from './dashboard.ts';
import type { Dashboard } from './dashboard.ts';

const NO_CALLS = 'no model call was recorded since the api started';
/** Every api counts the same. */
const counted = (counter: string, by: string) => `max by (${by}) (rate(${counter}[5m]))`;

export const models: Dashboard = {
  name: 'models',
  title: 'Recollect: models and cost',
  description: 'Calls of the summarising model, embedding, tokens and dollars of all tenants.',
  rows: [
    {
      title: 'Summarising model',
      panels: [
        orEmpty(
          graph(
            'Calls',
            'reqps',
            counted('recollect_model_calls_total', 'provider, model, operation, batch'),
            '{{provider}} {{model}} {{operation}}',
          ),
          NO_CALLS,
        ),
        orEmpty(
          graph(
            'Tokens',
            'reqps',
            counted('recollect_model_tokens_total', 'provider, model, kind'),
            '{{provider}} {{model}} {{kind}}',
          ),
          NO_CALLS,
        ),
        orEmpty(
          graph(
            'Cost in a day',
            'currencyUSD',
            'max by (provider, model) (increase(recollect_model_cost_usd_total[1d]))',
            '{{provider}} {{model}}',
          ),
          NO_CALLS,
        ),
        orEmpty(
          graph(
            'Mean duration of a call',
            's',
            'max by (model) (rate(recollect_model_seconds_total[5m])) / max by (model) (sum by (model, instance) (rate(recollect_model_calls_total[5m])))',
            '{{model}}',
          ),
          NO_CALLS,
        ),
        graph(
          'Responses from the cache',
          'reqps',
          counted('recollect_model_cache_hits_total', 'operation'),
          '{{operation}}',
        ),
        orEmpty(
          graph(
            'Requests that went to the next provider',
            'reqps',
            'sum by (provider, reason) (rate(recollect_model_failovers_total[5m]))',
            'after {{provider}}: {{reason}}',
          ),
          'no provider failed since the workers started',
        ),
        graph('Dropped claims', 'reqps', 'max(rate(recollect_claims_dropped_total[5m]))', 'claims'),
      ],
    },
    {
      title: 'Budgets',
      panels: [
        graph('Largest share of daily tokens', 'percentunit', 'max(recollect_budget_used_ratio)', 'share'),
        graph('Alerts of budgets', 'short', 'max(increase(recollect_budget_alerts_total[1d]))', 'alerts'),
        graph('Windows without a summary', 'short', 'max by (state) (recollect_windows) or vector(0)', '{{state}}'),
      ],
    },
    {
      title: 'Embedding',
      panels: [
        graph('Texts', 'reqps', counted('recollect_embedding_texts_total', 'model, from'), '{{model}} {{from}}'),
        graph(
          'Mean size of a batch',
          'short',
          'max by (model) (rate(recollect_embedding_texts_total{from="model"}[5m])) / (max by (model) (rate(recollect_embedding_batches_total[5m])) > 0) or vector(0)',
          '{{model}}',
        ),
        graph(
          'Busy share of the model',
          'percentunit',
          counted('recollect_embedding_seconds_total', 'model'),
          '{{model}}',
        ),
        graph('Chunks without a vector', 'short', 'max by (state) (recollect_vectors)', '{{state}}'),
      ],
    },
  ],
};
