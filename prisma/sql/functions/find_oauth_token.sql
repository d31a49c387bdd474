-- Returns the principal of an access token of the authorization server by its SHA-256, with the audience that the token is for.
CREATE OR REPLACE FUNCTION find_oauth_token(token_sha256 bytea)
  RETURNS TABLE (grant_id uuid, tenant_id uuid, user_id uuid, role text, scopes text[], audience text, expires_at timestamptz, last_used_at timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    SELECT g.id, g.tenant_id, g.user_id, u.role, string_to_array(p.payload ->> 'scope', ' '), p.payload ->> 'aud',
           least(p.expires_at, g.expires_at), g.last_used_at
      FROM oauth_payloads p JOIN oauth_grants g ON g.id = p.grant_id JOIN users u ON u.id = g.user_id JOIN tenants t ON t.id = g.tenant_id
     WHERE p.model = 'AccessToken' AND p.id_sha256 = $1 AND p.expires_at > now() AND g.ended_at IS NULL AND g.expires_at > now()
       AND u.active AND t.suspended_at IS NULL
  $$;
ALTER FUNCTION find_oauth_token OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION find_oauth_token FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_oauth_token TO recollect_app;
