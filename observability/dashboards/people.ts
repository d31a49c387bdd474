import { graph, orEmpty, stat } from './dashboard.ts';
import type { Dashboard } from './dashboard.ts';

export const people: Dashboard = {
  name: 'people',
  title: 'Recollect: people',
  description: 'Log-ins, limits, requests about personal data and the audit log. No figure is about one person.',
  rows: [
    {
      title: 'Access',
      panels: [
        graph('Attempts to log in', 'reqps', 'sum by (result) (rate(recollect_auth_attempts_total[5m]))', '{{result}}'),
        graph(
          'Uses of refresh tokens in a day',
          'short',
          'sum by (result) (increase(recollect_auth_refresh_total[1d]))',
          '{{result}}',
        ),
        graph(
          'Requests rejected by a limit',
          'reqps',
          'sum by (class) (rate(recollect_rate_limited_total[5m]))',
          '{{class}}',
        ),
        orEmpty(
          stat('Certificate', 'dateTimeFromNow', 'min(recollect_tls_certificate_expiry_timestamp_seconds) * 1000'),
          'the api serves plain HTTP',
        ),
      ],
    },
    {
      title: 'Personal data',
      panels: [
        graph('Open requests with a deadline', 'short', 'max by (due) (recollect_gdpr_requests_open)', '{{due}}'),
        stat('Audit log verified', 'short', 'min(recollect_audit_verified)'),
        graph(
          'Requests that the audit log lacks, in a day',
          'short',
          'sum(increase(recollect_audit_failures_total[1d]))',
          'requests',
        ),
      ],
    },
    {
      title: 'Use',
      panels: [
        graph('Largest share of daily tokens', 'percentunit', 'max(recollect_budget_used_ratio)', 'share'),
        graph('Open event streams', 'short', 'sum(recollect_streams_open)', 'streams'),
        graph(
          'Sessions in progress',
          'short',
          'max by (phase) (recollect_sessions_in_progress) or vector(0)',
          '{{phase}}',
        ),
      ],
    },
  ],
};
