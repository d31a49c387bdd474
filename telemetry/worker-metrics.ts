import { Counter, Histogram } from 'prom-client';
import { createProcessMetrics } from './process-metrics.ts';

/** Metrics of a worker process, beside those of Temporal's SDK (`sdk-metrics.ts`). */
export function createWorkerMetrics(version: string) {
  const ofProcess = createProcessMetrics('worker', version);
  return {
    ...ofProcess,
    sessionSearchable: new Histogram({
      name: 'recollect_session_searchable_seconds',
      help: 'Time from the capture of the end of a session until each of its chunks has a vector; imported sessions excluded',
      buckets: [1, 2.5, 5, 10, 20, 30, 60, 120, 300, 900, 3_600],
      registers: [ofProcess.registry],
    }),
    modelFailovers: new Counter({
      name: 'recollect_model_failovers_total',
      help: 'Model requests that went to the next provider, by the provider that failed (local, anthropic, openai, claude-cli) and the kind of failure; budget: its tokens were used up',
      labelNames: ['provider', 'reason'],
      registers: [ofProcess.registry],
    }),
  };
}

export type WorkerMetrics = ReturnType<typeof createWorkerMetrics>;
