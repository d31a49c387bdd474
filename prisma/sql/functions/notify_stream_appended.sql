-- Hints to every api process that events follow at the commit (stores/postgres/stream/).
CREATE FUNCTION notify_stream_appended() RETURNS trigger
  LANGUAGE plpgsql SET search_path = public, pg_temp
  AS $$
BEGIN
  PERFORM pg_notify('stream_appended', '');
  RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION notify_stream_appended FROM PUBLIC;
CREATE TRIGGER notify_stream_appended AFTER INSERT ON stream_events FOR EACH STATEMENT EXECUTE FUNCTION notify_stream_appended();
