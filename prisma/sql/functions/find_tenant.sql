-- Returns the id of a tenant by its name, of the operators' tenant without a name; null if there is none or it is suspended. For log-ins, which have no tenant yet.
CREATE OR REPLACE FUNCTION find_tenant(name text) RETURNS uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    SELECT t.id FROM tenants t WHERE t.suspended_at IS NULL AND CASE WHEN $1 IS NULL THEN t.is_operator ELSE t.name = $1 END
  $$;
ALTER FUNCTION find_tenant OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION find_tenant FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_tenant TO recollect_app;
