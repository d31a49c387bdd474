import { graph, orEmpty, quantiles, stat } from './dashboard.ts';
import type { Dashboard } from './dashboard.ts';

const NONE_FAILED = 'nothing failed since the worker started';

export const workflows: Dashboard = {
  name: 'workflows',
  title: 'Recollect: workflows',
  description: 'Sessions, jobs and schedules, from Temporal’s SDK in the workers.',
  rows: [
    {
      title: 'Workers',
      panels: [
        graph(
          'Used slots',
          'short',
          'sum by (task_queue, worker_type) (temporal_worker_task_slots_used)',
          '{{task_queue}} {{worker_type}}',
        ),
        graph(
          'Free slots',
          'short',
          'sum by (task_queue, worker_type) (temporal_worker_task_slots_available)',
          '{{task_queue}} {{worker_type}}',
        ),
        quantiles('Wait of workflow tasks', 'temporal_workflow_task_schedule_to_start_latency_seconds_bucket'),
        quantiles('Wait of activities', 'temporal_activity_schedule_to_start_latency_seconds_bucket', 'task_queue'),
        graph('Cached workflows', 'short', 'sum(temporal_sticky_cache_size)', 'workflows'),
        graph(
          'Polls',
          'short',
          'sum by (task_queue, poller_type) (temporal_num_pollers)',
          '{{task_queue}} {{poller_type}}',
        ),
      ],
    },
    {
      title: 'Workflows and activities',
      panels: [
        graph(
          'Completed workflows',
          'reqps',
          'sum by (workflow_type) (rate(temporal_workflow_completed_total[5m]))',
          '{{workflow_type}}',
        ),
        orEmpty(
          graph(
            'Failed workflows',
            'reqps',
            'sum by (workflow_type) (rate(temporal_workflow_failed_total[5m]))',
            '{{workflow_type}}',
          ),
          NONE_FAILED,
        ),
        orEmpty(
          graph(
            'Failed workflow tasks',
            'reqps',
            'sum by (workflow_type, failure_reason) (rate(temporal_workflow_task_execution_failed_total[5m]))',
            '{{workflow_type}} {{failure_reason}}',
          ),
          NONE_FAILED,
        ),
        orEmpty(
          graph(
            'Failed attempts of activities',
            'reqps',
            'sum by (activity_type) (rate(temporal_activity_execution_failed_total[5m]))',
            '{{activity_type}}',
          ),
          NONE_FAILED,
        ),
        graph(
          'Mean duration of activities',
          's',
          'sum by (activity_type) (rate(temporal_activity_execution_latency_seconds_sum[5m])) / sum by (activity_type) (rate(temporal_activity_execution_latency_seconds_count[5m]))',
          '{{activity_type}}',
        ),
        orEmpty(
          graph(
            'Failed requests to Temporal',
            'reqps',
            'sum by (operation) (rate(temporal_request_failure_total[5m]))',
            '{{operation}}',
          ),
          NONE_FAILED,
        ),
        orEmpty(
          graph(
            'Failed polls of Temporal',
            'reqps',
            'sum by (operation) (rate(temporal_long_request_failure_total[5m]))',
            '{{operation}}',
          ),
          NONE_FAILED,
        ),
      ],
    },
    {
      title: 'Sessions and schedules',
      panels: [
        graph(
          'Sessions in progress',
          'short',
          'max by (phase) (recollect_sessions_in_progress) or vector(0)',
          '{{phase}}',
        ),
        stat(
          'Last success of schedules',
          'dateTimeFromNow',
          'max by (schedule) (recollect_schedule_last_success_timestamp_seconds) * 1000',
        ),
        graph(
          'Intervals since the last success',
          'short',
          '(time() - max by (schedule) (recollect_schedule_last_success_timestamp_seconds)) / max by (schedule) (recollect_schedule_interval_seconds)',
          '{{schedule}}',
        ),
      ],
    },
  ],
};
