-- Hints to every api process that events follow at the commit, if streams were read in the last seconds: each hint costs the processes that listen as much
-- as a part of a capture. A reader that begins at this moment finds the events within a second.
CREATE FUNCTION notify_stream_appended() RETURNS trigger
  LANGUAGE plpgsql SET search_path = public, pg_temp
  AS $$
BEGIN
  IF EXISTS (SELECT FROM stream_clock c WHERE c.read_at > now() - interval '10 seconds') THEN
    PERFORM pg_notify('stream_appended', '');
  END IF;
  RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION notify_stream_appended FROM PUBLIC;
CREATE TRIGGER notify_stream_appended AFTER INSERT ON stream_events FOR EACH STATEMENT EXECUTE FUNCTION notify_stream_appended();
