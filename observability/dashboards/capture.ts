import { graph, orEmpty, quantiles } from './dashboard.ts';
import type { Dashboard } from './dashboard.ts';

export const capture: Dashboard = {
  name: 'capture',
  title: 'Recollect: capture',
  description: 'Events from their arrival until a workflow has consumed them.',
  rows: [
    {
      title: 'Events',
      panels: [
        graph(
          'Events by outcome',
          'reqps',
          'sum by (outcome) (rate(recollect_capture_events_total[5m]))',
          '{{outcome}}',
        ),
        quantiles('Time to store one event', 'recollect_capture_duration_seconds_bucket'),
        graph(
          'Failed requests of capture',
          'reqps',
          'sum by (group) (rate(recollect_http_requests_total{group=~"hooks|events",status="5xx"}[5m]))',
          '{{group}}',
        ),
      ],
    },
    {
      title: 'From event to session workflow',
      panels: [
        graph('Unconsumed rows', 'short', 'max(recollect_unconsumed_rows)', 'rows'),
        graph('Age of the oldest unconsumed row', 's', 'max(recollect_unconsumed_oldest_age_seconds)', 'age'),
        graph('Pending hints', 'short', 'sum(recollect_hints_pending)', 'sessions'),
        {
          title: 'Hints',
          unit: 'reqps',
          queries: [
            { expr: 'sum(rate(recollect_hints_sent_total[5m]))', legend: 'sent' },
            { expr: 'sum(rate(recollect_hints_failed_total[5m]))', legend: 'failed' },
          ],
        },
        orEmpty(
          quantiles('From the end of a session until it is searchable', 'recollect_session_searchable_seconds_bucket'),
          'no session ended in the window',
        ),
      ],
    },
  ],
};
