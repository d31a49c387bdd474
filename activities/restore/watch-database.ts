import { asCreator } from '../../stores/postgres/backups/restored-database.ts';
import type { RestoreServer } from '../../stores/postgres/backups/restored-database.ts';
import { reportProgress } from '../heartbeat.ts';

const POLL_MS = 5_000;

/**
 * Counters of index builds and ANALYZE. Statements without counters (foreign keys, migrations) count as progress while their backend runs and
 * waits for neither a lock nor its client.
 */
const ACTIVITY = `
  SELECT (SELECT string_agg(p.counters, ' ') FROM (
            SELECT b::text AS counters FROM pg_stat_progress_create_index b WHERE b.datname = $1
            UNION ALL SELECT a::text FROM pg_stat_progress_analyze a WHERE a.datname = $1) AS p) AS counters,
         EXISTS (SELECT FROM pg_stat_activity s WHERE s.datname = $1 AND s.state = 'active'
                    AND coalesce(s.wait_event_type, '') NOT IN ('Lock', 'Client')) AS running`;

/** Runs `work`, whose statements have no time limit, and reports progress for as long as PostgreSQL progresses in `database`. */
export async function watchDatabase<Result>(
  server: RestoreServer,
  database: string,
  work: () => Promise<Result>,
): Promise<Result> {
  let before: string | null = null;
  const poll = async (): Promise<void> => {
    const { rows } = await asCreator(server, (maker) =>
      maker.query<{ counters: string | null; running: boolean }>(ACTIVITY, [database]),
    );
    const [now] = rows;
    if (now === undefined) return;
    if (now.counters === null ? now.running : now.counters !== before) reportProgress();
    before = now.counters;
  };
  // A failed poll reports nothing; the next one may succeed.
  const timer = setInterval(() => void poll().catch(() => undefined), POLL_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
