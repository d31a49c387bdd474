-- Returns the budget alerts and dropped claims between two ids, for the metrics of all tenants.
CREATE OR REPLACE FUNCTION model_incidents_between(after_id uuid, up_to_id uuid)
  RETURNS TABLE (budget_alerts bigint, claims_dropped bigint)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  SELECT (SELECT count(*) FROM system_alerts a WHERE a.id > after_id AND a.id <= up_to_id AND a.type = 'budget_threshold'),
         (SELECT coalesce(sum(s.claims_dropped), 0) FROM summaries s WHERE s.id > after_id AND s.id <= up_to_id)
$$;
ALTER FUNCTION model_incidents_between OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION model_incidents_between FROM PUBLIC;
GRANT EXECUTE ON FUNCTION model_incidents_between TO recollect_app;
