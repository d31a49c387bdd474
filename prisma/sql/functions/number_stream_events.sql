-- Gives events that have been committed their positions, at most `most`, in the order of their ids. Returns the clock, and whether more are waiting.
-- One caller at a time, until its commit: so positions become visible in their order, and a reader that continues after one misses none, in whatever order
-- the transactions of the events committed. The statements after the lock see what committed before it.
CREATE FUNCTION number_stream_events(most integer, OUT last_position bigint, OUT kept_after bigint, OUT more boolean)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
DECLARE
  numbered integer;
BEGIN
  INSERT INTO stream_clock AS c (last_position, kept_after)
  SELECT t.start, t.start FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS start) AS t
   WHERE NOT EXISTS (SELECT FROM stream_clock) ON CONFLICT DO NOTHING;
  UPDATE stream_clock c SET read_at = now() WHERE c.read_at < now() - interval '3 seconds';
  more := false;
  -- Most calls find nothing, and need no lock.
  IF EXISTS (SELECT FROM stream_events e WHERE e.position IS NULL) THEN
    SELECT c.last_position INTO last_position FROM stream_clock c FOR UPDATE;
    UPDATE stream_events e SET position = last_position + n.place
      FROM (SELECT w.id, row_number() OVER (ORDER BY w.id) AS place
              FROM (SELECT u.id FROM stream_events u WHERE u.position IS NULL ORDER BY u.id LIMIT most) AS w) AS n
     WHERE e.id = n.id;
    GET DIAGNOSTICS numbered = ROW_COUNT;
    UPDATE stream_clock c SET last_position = c.last_position + numbered WHERE numbered > 0;
    more := numbered = most;
  END IF;
  SELECT c.last_position, c.kept_after INTO last_position, kept_after FROM stream_clock c;
END
$$;
ALTER FUNCTION number_stream_events OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION number_stream_events FROM PUBLIC;
GRANT EXECUTE ON FUNCTION number_stream_events TO recollect_app;
