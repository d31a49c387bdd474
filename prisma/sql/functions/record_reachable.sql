-- Records that the api can store events now. `was_away`: it could not before, because it was down or the database was; the time since the last record is
-- then added to the outages, newest first, unless it is shorter than `shortest`. Several processes of the api share the record.
CREATE OR REPLACE FUNCTION record_reachable(was_away boolean, shortest interval)
  RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
DECLARE
  last_at timestamptz;
BEGIN
  SELECT updated_at INTO last_at FROM settings WHERE scope = 'system' AND scope_id = '' AND key = 'capture.reachable' FOR UPDATE;
  IF was_away AND last_at < now() - shortest THEN
    INSERT INTO settings (id, scope, scope_id, key, value)
    VALUES (uuidv7(), 'system', '', 'capture.outages', jsonb_build_array(jsonb_build_object('from', last_at, 'to', now())))
    ON CONFLICT (scope, scope_id, key) DO UPDATE SET value = (excluded.value || settings.value) - 100, updated_at = now();
  END IF;
  INSERT INTO settings (id, scope, scope_id, key) VALUES (uuidv7(), 'system', '', 'capture.reachable')
  ON CONFLICT (scope, scope_id, key) DO UPDATE SET updated_at = now();
END
$$;
ALTER FUNCTION record_reachable OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION record_reachable FROM PUBLIC;
GRANT EXECUTE ON FUNCTION record_reachable TO recollect_app;
