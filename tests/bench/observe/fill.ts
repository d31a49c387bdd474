import type pg from 'pg';

const MODEL = 'bench';
/** Of a session, so that `sessions` of them have all rows. */
const UNCONSUMED_SESSIONS = 100;
const UNCONSUMED_ROWS = 5;
const PENDING_SHARE = 20;

/** Writes live sessions with these rows, their keys, windows and chunks; some are unconsumed, and some chunks have no vector. */
export async function fillLive(
  database: pg.Pool,
  {
    tenantId,
    userId,
    sessions,
    rows,
  }: { readonly tenantId: string; readonly userId: string; readonly sessions: number; readonly rows: number },
): Promise<void> {
  const each = Math.floor(rows / sessions);
  await database.query(
    `WITH live AS (
       INSERT INTO sessions (id, tenant_id, user_id, host, external_id, last_seq, consumed_seq, windowed_seq, observation_count, started_at, last_event_at)
       SELECT uuidv7(), $1, $2, 'bench', 'live-' || n, $4, $4 - CASE WHEN n <= ${UNCONSUMED_SESSIONS} THEN ${UNCONSUMED_ROWS} ELSE 0 END, 0, $4, now(), now()
         FROM generate_series(1, $3::integer) AS n RETURNING id),
     rows AS (SELECT l.id AS session_id, seq, uuidv7() AS id FROM live l CROSS JOIN generate_series(1, $4::integer) AS seq),
     keys AS (
       INSERT INTO capture_keys (session_id, key, tenant_id, seq, kind, row_id, source)
       SELECT session_id, 'key ' || seq, $1, seq, 'observation', id, 'event' FROM rows),
     cut AS (
       INSERT INTO windows (session_id, n, tenant_id, from_seq, to_seq, tokens, reason, state)
       SELECT l.id, n, $1, n, n, 10, 'tokens', CASE WHEN n = 10 THEN 'pending' ELSE 'summarised' END FROM live l CROSS JOIN generate_series(1, 10) AS n),
     chunks AS (
       INSERT INTO embeddings (id, tenant_id, session_id, resource_type, resource_id, chunk, model, dimension, content_hash, state, object_id)
       SELECT uuidv7(), $1, session_id, 'observation', id, 0, '${MODEL}', 3, '', CASE WHEN seq % ${PENDING_SHARE} = 0 THEN 'pending' ELSE 'indexed' END, id FROM rows)
     INSERT INTO observations (id, tenant_id, session_id, user_id, seq, type, event, title, content, preview, tags, files_read, files_modified, tokens, occurred_at)
     SELECT id, $1, session_id, $2, seq, 'tool_result', 'observation', 'title', 'content ' || seq, 'content', '{}', '{}', '{}', 10, now() FROM rows`,
    [tenantId, userId, sessions, each],
  );
  await database.query('ANALYZE');
}
