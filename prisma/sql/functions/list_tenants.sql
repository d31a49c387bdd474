-- Returns a page of the tenants, newest first, with the number of their users; each row has the number of all tenants, a page beyond the last one in a row
-- without a tenant. For operators: the api checks that.
CREATE OR REPLACE FUNCTION list_tenants(after_rows integer, at_most integer)
  RETURNS TABLE (id uuid, name text, is_operator boolean, suspended_at timestamptz, created_at timestamptz, users integer, total integer)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    SELECT p.*, c.total
      FROM (SELECT count(*)::integer AS total FROM tenants) AS c
      LEFT JOIN (SELECT t.id, t.name, t.is_operator, t.suspended_at, t.created_at, (SELECT count(*)::integer FROM users u WHERE u.tenant_id = t.id)
                   FROM tenants t ORDER BY t.created_at DESC, t.id DESC OFFSET after_rows LIMIT at_most) AS p ON true
     ORDER BY p.created_at DESC, p.id DESC
  $$;
ALTER FUNCTION list_tenants OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION list_tenants FROM PUBLIC;
GRANT EXECUTE ON FUNCTION list_tenants TO recollect_app;
