-- Returns the principal of the cookie of a browser by its SHA-256, while its session lasts: the query for cookies that runs before a tenant is known. A session
-- that a key began lasts as long as the key, and has its rights; the columns of the key are null for others. `idle_s`: a session unused for so long has ended.
CREATE OR REPLACE FUNCTION find_browser_session(browser_sha256 bytea, idle_s integer)
  RETURNS TABLE (id uuid, tenant_id uuid, user_id uuid, role text, is_operator boolean, authenticated_at timestamptz, mfa_at timestamptz,
    has_factors boolean, expires_at timestamptz, last_used_at timestamptz, key_id uuid, key_expires_at timestamptz, scopes text[], requests_per_minute integer, namespaces text[], projects uuid[])
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    SELECT s.id, s.tenant_id, s.user_id, u.role, u.role = 'admin' AND t.is_operator, s.authenticated_at, s.mfa_at,
           EXISTS (SELECT FROM mfa_totp m WHERE m.user_id = u.id AND m.confirmed_at IS NOT NULL) OR EXISTS (SELECT FROM passkeys p WHERE p.user_id = u.id),
           least(s.expires_at, k.expires_at), s.last_used_at, k.id, k.expires_at, k.scopes, k.requests_per_minute, k.namespaces, k.projects
      FROM user_sessions s JOIN users u ON u.id = s.user_id JOIN tenants t ON t.id = s.tenant_id LEFT JOIN api_keys k ON k.id = s.api_key_id
     WHERE s.browser_sha256 = $1 AND s.ended_at IS NULL AND least(s.expires_at, k.expires_at) > now() AND s.last_used_at > now() - make_interval(secs => $2)
           AND s.auth_version = u.auth_version AND u.active AND t.suspended_at IS NULL AND k.revoked_at IS NULL
  $$;
ALTER FUNCTION find_browser_session OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION find_browser_session FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_browser_session TO recollect_app;
