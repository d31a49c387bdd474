-- Returns the number of rows that retention processed, for the metrics of all tenants.
CREATE OR REPLACE FUNCTION retention_totals()
  RETURNS TABLE (resource text, action text, rows bigint)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  SELECT c.resource, c.action, sum(c.rows)::bigint FROM retention_counts c JOIN retention_runs r ON r.id = c.run_id WHERE r.mode = 'run' GROUP BY 1, 2
$$;
ALTER FUNCTION retention_totals OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION retention_totals FROM PUBLIC;
GRANT EXECUTE ON FUNCTION retention_totals TO recollect_app;
