-- Returns the differences that the last consistency check of each tenant found and did not repair, for the metrics of all tenants.
CREATE OR REPLACE FUNCTION index_divergence()
  RETURNS TABLE (kind text, unrepaired bigint)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  WITH last AS (SELECT DISTINCT ON (tenant_id) found, repaired FROM consistency_checks WHERE state = 'completed' ORDER BY tenant_id, id DESC)
  SELECT f.key, sum(f.value::bigint - coalesce((last.repaired ->> f.key)::bigint, 0))::bigint FROM last CROSS JOIN LATERAL jsonb_each_text(last.found) AS f GROUP BY 1
$$;
ALTER FUNCTION index_divergence OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION index_divergence FROM PUBLIC;
GRANT EXECUTE ON FUNCTION index_divergence TO recollect_app;
