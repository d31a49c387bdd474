-- Appends the events of inserted rows, one row a statement's row. The triggers are created with the function: a restore, which copies rows in before
-- the functions are applied, appends nothing.
CREATE FUNCTION stream_inserted() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
BEGIN
  IF TG_TABLE_NAME = 'sessions' THEN
    INSERT INTO stream_events (tenant_id, type, user_id, private, project_id, namespace, session_id, data)
    SELECT a.tenant_id, 'session.created', a.user_id, false, a.project_id, a.namespace, a.id, jsonb_build_object('status', a.status, 'phase', a.phase)
      FROM added a;
  ELSIF TG_TABLE_NAME = 'summaries' THEN
    INSERT INTO stream_events (tenant_id, type, user_id, private, project_id, namespace, session_id, subject_id, data)
    SELECT a.tenant_id, 'summary.generated', a.user_id, false, a.project_id, s.namespace, a.session_id, a.id,
           jsonb_build_object('type', a.type, 'version', a.version, 'from_seq', a.from_seq, 'to_seq', a.to_seq)
      FROM added a JOIN sessions s ON s.id = a.session_id;
  ELSIF TG_TABLE_NAME = 'learnings' THEN
    INSERT INTO stream_events (tenant_id, type, user_id, private, project_id, namespace, session_id, subject_id, data)
    SELECT a.tenant_id, 'learning.extracted', a.user_id, a.visibility = 'private', a.project_id, a.namespace, a.session_id, a.id,
           jsonb_build_object('origin', a.origin, 'version', a.version)
      FROM added a;
  ELSE
    INSERT INTO stream_events (tenant_id, type, user_id, private, subject_id, data)
    SELECT a.tenant_id, 'system.alert', a.user_id, true, a.id, jsonb_build_object('type', a.type)
      FROM added a;
  END IF;
  RETURN NULL;
END
$$;
ALTER FUNCTION stream_inserted OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION stream_inserted FROM PUBLIC;
CREATE TRIGGER stream_inserted AFTER INSERT ON sessions REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION stream_inserted();
CREATE TRIGGER stream_inserted AFTER INSERT ON summaries REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION stream_inserted();
CREATE TRIGGER stream_inserted AFTER INSERT ON learnings REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION stream_inserted();
CREATE TRIGGER stream_inserted AFTER INSERT ON system_alerts REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION stream_inserted();
