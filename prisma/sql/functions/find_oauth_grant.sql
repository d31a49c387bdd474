-- Returns a grant while its client may act for its user: the token endpoint knows the grant before the tenant.
CREATE OR REPLACE FUNCTION find_oauth_grant(grant_id uuid)
  RETURNS TABLE (id uuid, tenant_id uuid, user_id uuid, client_id text, scopes text[], created_at timestamptz, expires_at timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    SELECT g.id, g.tenant_id, g.user_id, g.client_id, g.scopes, g.created_at, g.expires_at
      FROM oauth_grants g JOIN users u ON u.id = g.user_id JOIN tenants t ON t.id = g.tenant_id
     WHERE g.id = $1 AND g.ended_at IS NULL AND g.expires_at > now() AND u.active AND t.suspended_at IS NULL
  $$;
ALTER FUNCTION find_oauth_grant OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION find_oauth_grant FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_oauth_grant TO recollect_app;
