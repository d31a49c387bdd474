-- Marks sessions as searchable that ended by an event, are consumed and have a vector for each chunk, and returns for each how long that took since the capture of the end,
-- in seconds; once for each end. Sessions whose end is older than ten minutes when it is captured are imported or were spooled: they are not measured. One statement that
-- commits by itself, for the reason in advance_consumption.
CREATE OR REPLACE FUNCTION mark_searchable(for_tenant uuid, for_sessions uuid[])
  RETURNS TABLE (seconds double precision)
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  WITH complete AS (
    SELECT s.id, b.created_at FROM sessions s JOIN boundaries b ON b.session_id = s.id AND b.seq = s.last_seq
     WHERE s.id = ANY (for_sessions) AND s.tenant_id = for_tenant AND s.consumed_seq = s.last_seq AND b.kind = 'session_end'
       AND (s.searchable_at IS NULL OR s.searchable_at < b.created_at) AND b.occurred_at > b.created_at - interval '10 minutes'
       AND NOT EXISTS (SELECT FROM embeddings e WHERE e.session_id = s.id AND e.state = 'pending')
     ORDER BY s.id FOR NO KEY UPDATE OF s)
  UPDATE sessions s SET searchable_at = clock_timestamp() FROM complete WHERE s.id = complete.id
  RETURNING greatest(extract(epoch FROM clock_timestamp() - complete.created_at), 0)
$$;
ALTER FUNCTION mark_searchable OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION mark_searchable FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mark_searchable TO recollect_app;
