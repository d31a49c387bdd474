import { graph, orEmpty, quantiles, stat } from './dashboard.ts';
import type { Dashboard } from './dashboard.ts';

const NO_BACKUP = 'no backup was completed, verified or copied yet';

export const storage: Dashboard = {
  name: 'storage',
  title: 'Recollect: storage',
  description: 'PostgreSQL, disks, memory, backups and retention.',
  rows: [
    {
      title: 'PostgreSQL',
      panels: [
        quantiles('Statements', 'recollect_db_query_duration_seconds_bucket'),
        graph(
          'Connections',
          'short',
          'sum by (job, pool, state) (recollect_db_pool_connections)',
          '{{job}} {{pool}} {{state}}',
        ),
        graph('Size of the database', 'bytes', 'max(recollect_database_size_bytes)', 'size'),
        graph('Rows', 'short', 'max by (table) (recollect_rows_estimate)', '{{table}}'),
      ],
    },
    {
      title: 'Machine',
      panels: [
        graph(
          'Free share of disks',
          'percentunit',
          'min by (job, volume) (recollect_disk_free_bytes / recollect_disk_size_bytes)',
          '{{job}} {{volume}}',
        ),
        graph(
          'Used share of the memory',
          'percentunit',
          'max by (job) (recollect_memory_used_bytes / recollect_memory_limit_bytes)',
          '{{job}}',
        ),
        graph(
          'Memory of processes',
          'bytes',
          'sum by (job) (process_resident_memory_bytes{job=~"recollect-(api|worker)"})',
          '{{job}}',
        ),
        graph(
          'Processors',
          'short',
          'sum by (job) (rate(process_cpu_seconds_total{job=~"recollect-(api|worker)"}[5m]))',
          '{{job}}',
        ),
        graph(
          'Lag of the event loop, p99',
          's',
          'max by (job) (nodejs_eventloop_lag_p99_seconds{job=~"recollect-(api|worker)"})',
          '{{job}}',
        ),
      ],
    },
    {
      title: 'Backups and retention',
      panels: [
        orEmpty(
          stat('Last backup', 'dateTimeFromNow', 'max(recollect_backup_last_success_timestamp_seconds) * 1000'),
          NO_BACKUP,
        ),
        orEmpty(
          stat('Last verified backup', 'dateTimeFromNow', 'max(recollect_backup_verified_timestamp_seconds) * 1000'),
          NO_BACKUP,
        ),
        orEmpty(
          stat('Last off-site copy', 'dateTimeFromNow', 'max(recollect_backup_copy_timestamp_seconds) * 1000'),
          NO_BACKUP,
        ),
        orEmpty(graph('Size of the last backup', 'bytes', 'max(recollect_backup_size_bytes)', 'size'), NO_BACKUP),
        orEmpty(
          graph(
            'Rows processed by retention in a day',
            'short',
            'max by (type, action) (increase(recollect_retention_rows_total[1d]))',
            '{{type}} {{action}}',
          ),
          'retention processed no row since the api started',
        ),
      ],
    },
  ],
};
