-- Drops a detached month: no query reads it, so nothing waits.
CREATE OR REPLACE FUNCTION drop_detached_month(hot text, month date) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
BEGIN
  EXECUTE format('DROP TABLE IF EXISTS %I', assert_detached_month(hot, month));
END
$$;
REVOKE EXECUTE ON FUNCTION drop_detached_month FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_detached_month TO recollect_maintenance;
