-- Appends the event of a changed row. The conditions of the triggers are evaluated without a call: they add nothing to the update of each capture.
CREATE FUNCTION stream_updated() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
BEGIN
  IF TG_TABLE_NAME = 'sessions' THEN
    INSERT INTO stream_events (tenant_id, type, user_id, private, project_id, namespace, session_id, data)
    VALUES (NEW.tenant_id, 'session.updated', NEW.user_id, false, NEW.project_id, NEW.namespace, NEW.id,
            jsonb_build_object('status', NEW.status, 'phase', NEW.phase, 'capture', NEW.capture));
  ELSIF TG_TABLE_NAME = 'embedding_counts' THEN
    INSERT INTO stream_events (tenant_id, type, user_id, private) VALUES (NEW.tenant_id, 'search.index_updated', '00000000-0000-0000-0000-000000000000', false);
  ELSE
    -- A job of a user; without one, admins alone see it. The row of an erasure outlives its tenant.
    INSERT INTO stream_events (tenant_id, type, user_id, private, subject_id, data)
    SELECT t.id, 'task.completed', coalesce((to_jsonb(NEW) ->> TG_ARGV[1])::uuid, '00000000-0000-0000-0000-000000000000'), true, NEW.id,
           jsonb_build_object('kind', TG_ARGV[0], 'state', NEW.state)
      FROM tenants t WHERE t.id = NEW.tenant_id;
  END IF;
  RETURN NULL;
END
$$;
ALTER FUNCTION stream_updated OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION stream_updated FROM PUBLIC;
CREATE TRIGGER stream_updated AFTER UPDATE ON sessions FOR EACH ROW
  WHEN (OLD.status <> NEW.status OR OLD.phase <> NEW.phase OR OLD.capture <> NEW.capture OR OLD.title IS DISTINCT FROM NEW.title
        OR OLD.project_id IS DISTINCT FROM NEW.project_id OR OLD.waiting_reason IS DISTINCT FROM NEW.waiting_reason OR OLD.last_error IS DISTINCT FROM NEW.last_error)
  EXECUTE FUNCTION stream_updated();
CREATE TRIGGER stream_updated AFTER UPDATE ON embedding_counts FOR EACH ROW WHEN (OLD.indexed_at IS DISTINCT FROM NEW.indexed_at) EXECUTE FUNCTION stream_updated();
CREATE TRIGGER stream_updated AFTER UPDATE ON imports FOR EACH ROW WHEN (OLD.state = 'running' AND NEW.state <> 'running') EXECUTE FUNCTION stream_updated('import', 'user_id');
CREATE TRIGGER stream_updated AFTER UPDATE ON exports FOR EACH ROW WHEN (OLD.state = 'running' AND NEW.state <> 'running') EXECUTE FUNCTION stream_updated('export', 'user_id');
CREATE TRIGGER stream_updated AFTER UPDATE ON erasures FOR EACH ROW WHEN (OLD.state = 'running' AND NEW.state <> 'running') EXECUTE FUNCTION stream_updated('erasure', 'requested_by');
CREATE TRIGGER stream_updated AFTER UPDATE ON consistency_checks FOR EACH ROW WHEN (OLD.state = 'running' AND NEW.state <> 'running') EXECUTE FUNCTION stream_updated('consistency', 'user_id');
CREATE TRIGGER stream_updated AFTER UPDATE ON retention_runs FOR EACH ROW WHEN (OLD.state = 'running' AND NEW.state <> 'running') EXECUTE FUNCTION stream_updated('retention', 'user_id');
