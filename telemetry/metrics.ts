import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

const LATENCY_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export interface CaptureMetrics {
  readonly captured: Counter<'outcome'>;
}

/** Metrics of the api process. Labels are closed lists: no ids, no paths with ids, no text. */
export function createApiMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
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
    hintsWaiting: new Gauge({
      name: 'recollect_hints_waiting',
      help: 'Sessions whose hint waits or is on its way',
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
      name: 'recollect_search_stage_seconds',
      help: 'Time of each stage of a search',
      labelNames: ['stage'],
      buckets: LATENCY_SECONDS,
      registers,
    }),
  };
}
