import { graph, quantiles } from './dashboard.ts';
import type { Dashboard } from './dashboard.ts';

export const retrieval: Dashboard = {
  name: 'retrieval',
  title: 'Recollect: retrieval',
  description: 'Search and context: latency by stage, and what was unavailable.',
  rows: [
    {
      title: 'Search and context',
      panels: [
        graph(
          'Searches by unavailable parts',
          'reqps',
          'sum by (degraded) (rate(recollect_searches_total[5m]))',
          '{{degraded}}',
        ),
        {
          title: 'Duration of requests, p99',
          unit: 's',
          queries: [
            {
              expr: 'histogram_quantile(0.99, sum by (group, le) (rate(recollect_http_request_duration_seconds_bucket{group=~"search|context"}[5m])))',
              legend: '{{group}}',
            },
          ],
        },
        quantiles('Stages', 'recollect_search_stage_duration_seconds_bucket', 'stage'),
        graph(
          'Time of stages',
          's',
          'sum by (stage) (rate(recollect_search_stage_duration_seconds_sum[5m]))',
          '{{stage}}',
        ),
      ],
    },
    {
      title: 'Index',
      panels: [
        graph(
          'Differences of the last consistency check',
          'short',
          'max by (kind) (recollect_index_divergence) or vector(0)',
          '{{kind}}',
        ),
        graph('Chunks in the ledger', 'short', 'max(recollect_rows_estimate{table="embeddings"})', 'chunks'),
        graph('Chunks without a vector', 'short', 'max by (state) (recollect_vectors)', '{{state}}'),
      ],
    },
  ],
};
