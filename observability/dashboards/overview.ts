import { graph, orEmpty, quantiles, stat } from './dashboard.ts';
import type { Dashboard } from './dashboard.ts';

const QUIET = 'no event of the objective in the window';
const objective = (title: string, name: string) =>
  orEmpty(graph(title, 'percentunit', `recollect:${name}:bad_ratio_1h`, 'bad events, 1 h'), QUIET);

export const overview: Dashboard = {
  name: 'overview',
  title: 'Recollect: overview',
  description: 'Whether the instance works, and how much of its error budgets is used.',
  rows: [
    {
      title: 'State',
      panels: [
        stat('Processes', 'short', 'sum by (job) (up{job=~"recollect-(api|worker)"})'),
        stat('Dependencies', 'short', 'min by (dependency) (recollect_dependency_up)'),
        stat('Unfindable rows', 'short', 'max(recollect_unfindable_rows)'),
        orEmpty(
          stat('Last backup', 'dateTimeFromNow', 'max(recollect_backup_last_success_timestamp_seconds) * 1000'),
          'no backup was completed yet',
        ),
        orEmpty(
          stat(
            'Firing alerts',
            'short',
            'count(ALERTS{alertstate="firing",alertname=~"Recollect.+",priority!="none"})',
          ),
          'no alert fires',
        ),
        stat('Version', 'short', 'count by (process, version) (recollect_build_info)'),
      ],
    },
    {
      title: 'Objectives',
      panels: [
        objective('Capture is available', 'capture_availability'),
        objective('Capture is fast', 'capture_latency'),
        objective('Search is fast', 'search_latency'),
        objective('Sessions are searchable', 'searchable'),
      ],
    },
    {
      title: 'Requests',
      panels: [
        graph(
          'Requests by group',
          'reqps',
          'sum by (group) (rate(recollect_http_requests_total[5m])) > 0',
          '{{group}}',
        ),
        graph('Requests by status', 'reqps', 'sum by (status) (rate(recollect_http_requests_total[5m]))', '{{status}}'),
        quantiles('Duration by group', 'recollect_http_request_duration_seconds_bucket', 'group'),
        graph('In flight', 'short', 'sum(recollect_http_requests_in_flight)', 'requests'),
        graph('Open event streams', 'short', 'sum(recollect_streams_open)', 'streams'),
      ],
    },
  ],
};
