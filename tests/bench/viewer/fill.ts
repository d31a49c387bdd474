import type pg from 'pg';
import { soleUser } from '../recall/speed-fill.ts';

const PROJECTS = 12;

/** Writes ended sessions in their final state, a minute apart, the newest first in lists. */
export async function writeSessions(database: pg.Pool, count: number): Promise<void> {
  const { tenantId, userId } = await soleUser(database);
  await database.query(
    `WITH written AS (INSERT INTO projects (id, tenant_id, display_name)
       SELECT uuidv7(), $1, 'project-' || n FROM generate_series(1, ${PROJECTS}) AS n RETURNING id),
     numbered AS (SELECT id, row_number() OVER () AS n FROM written)
     INSERT INTO sessions (id, tenant_id, user_id, project_id, host, external_id, title, status, phase, last_seq, consumed_seq, windowed_seq, learned_seq,
       started_at, last_event_at, ended_at)
     SELECT uuidv7(), $1, $2, p.id, 'bench', 'viewer-' || s, 'Session ' || s || ': round the totals of invoices half even', 'ended', 'settled', 50, 50, 50, 50,
       t.at, t.at, t.at
       FROM generate_series(1, $3::integer) AS s
       CROSS JOIN LATERAL (SELECT now() - s * interval '1 minute' AS at) AS t
       JOIN numbered p ON p.n = s % ${PROJECTS} + 1`,
    [tenantId, userId, count],
  );
  await database.query('ANALYZE sessions, projects');
}
