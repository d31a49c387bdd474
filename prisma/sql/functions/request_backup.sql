-- Requests a backup; while one is running, returns that one.
CREATE OR REPLACE FUNCTION request_backup(new_id uuid, by_user uuid) RETURNS SETOF backups
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('recollect.request_backup'));
  IF NOT EXISTS (SELECT FROM backups b WHERE b.state = 'running') THEN
    INSERT INTO backups (id, requested_by, workflow_id) VALUES (new_id, by_user, 'job/backup/' || new_id);
  END IF;
  RETURN QUERY SELECT b.* FROM backups b WHERE b.state = 'running' ORDER BY b.created_at, b.id LIMIT 1;
END
$$;
ALTER FUNCTION request_backup OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION request_backup FROM PUBLIC;
GRANT EXECUTE ON FUNCTION request_backup TO recollect_app;
