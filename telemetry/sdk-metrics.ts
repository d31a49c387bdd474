/** A metric of Temporal's SDK, as the worker serves it. */
export interface SdkMetric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
}

/**
 * Metrics of Temporal's SDK that the worker serves; the others are left out, so that the number of series is bounded. All have the labels namespace, service_name and task_queue.
 * Names of workflows, activities and queues are closed lists of the code.
 */
export const SDK_METRICS: readonly SdkMetric[] = [
  {
    name: 'temporal_worker_task_slots_available',
    type: 'gauge',
    help: 'Free slots by `worker_type`; 0 for long: work waits for this worker',
  },
  { name: 'temporal_worker_task_slots_used', type: 'gauge', help: 'Used slots by `worker_type`' },
  { name: 'temporal_num_pollers', type: 'gauge', help: 'Open polls of the server by `poller_type`' },
  {
    name: 'temporal_sticky_cache_size',
    type: 'gauge',
    help: 'Cached workflows; at its limit, each task of another workflow replays a history',
  },
  { name: 'temporal_sticky_cache_hit_total', type: 'counter', help: 'Workflow tasks of cached workflows' },
  { name: 'temporal_sticky_cache_miss_total', type: 'counter', help: 'Workflow tasks that replayed a history' },
  { name: 'temporal_workflow_completed_total', type: 'counter', help: 'Completed workflows by `workflow_type`' },
  { name: 'temporal_workflow_failed_total', type: 'counter', help: 'Failed workflows by `workflow_type`' },
  {
    name: 'temporal_workflow_task_execution_failed_total',
    type: 'counter',
    help: 'Failed workflow tasks by `workflow_type` and `failure_reason`; `NonDeterminismError`: the code does not replay a history',
  },
  {
    name: 'temporal_activity_execution_failed_total',
    type: 'counter',
    help: 'Failed attempts of activities by `activity_type` and `workflow_type`',
  },
  {
    name: 'temporal_workflow_task_schedule_to_start_latency_seconds',
    type: 'histogram',
    help: 'Wait of workflow tasks for a worker; above a second: start another worker',
  },
  {
    name: 'temporal_activity_schedule_to_start_latency_seconds',
    type: 'histogram',
    help: 'Wait of activities for a slot of their queue',
  },
  {
    name: 'temporal_activity_execution_latency_seconds',
    type: 'histogram',
    help: 'Duration of attempts of activities by `activity_type` and `workflow_type`, as sum and count',
  },
  { name: 'temporal_request_failure_total', type: 'counter', help: 'Failed requests to the server by `operation`' },
  { name: 'temporal_long_request_failure_total', type: 'counter', help: 'Failed polls of the server by `operation`' },
];

/** One limit: of these histograms the sum and the count are used. */
const SUM_AND_COUNT: readonly number[] = [60];
const WAITS: readonly number[] = [0.01, 0.1, 1, 5, 30, 300];

/** Bounds of the SDK's histograms in seconds, by name without prefix and unit. */
export const SDK_BUCKETS: Record<string, number[]> = {
  workflow_task_schedule_to_start_latency: [...WAITS],
  activity_schedule_to_start_latency: [...WAITS],
  activity_execution_latency: [...SUM_AND_COUNT],
};

const KNOWN: ReadonlySet<string> = new Set(SDK_METRICS.map(({ name }) => name));

/** Returns the lines of the metrics of the list from the SDK's text. */
export function selectSdkMetrics(text: string): string {
  const lines = text.split('\n').filter((line) => {
    const [, name = ''] = /^(?:# (?:HELP|TYPE) )?(\w+)/.exec(line) ?? [];
    return KNOWN.has(name) || KNOWN.has(name.replace(/_(?:bucket|sum|count)$/, ''));
  });
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}
