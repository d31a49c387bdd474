-- Returns the principal of a session by its id, while the session lasts: the query for access tokens that runs before a tenant is known.
CREATE OR REPLACE FUNCTION find_user_session(session_id uuid)
  RETURNS TABLE (id uuid, tenant_id uuid, user_id uuid, role text, is_operator boolean, auth_version integer, authenticated_at timestamptz,
    mfa_at timestamptz, has_factors boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    SELECT s.id, s.tenant_id, s.user_id, u.role, u.role = 'admin' AND t.is_operator, s.auth_version, s.authenticated_at, s.mfa_at,
           EXISTS (SELECT FROM mfa_totp m WHERE m.user_id = u.id AND m.confirmed_at IS NOT NULL) OR EXISTS (SELECT FROM passkeys p WHERE p.user_id = u.id)
      FROM user_sessions s JOIN users u ON u.id = s.user_id JOIN tenants t ON t.id = s.tenant_id
     WHERE s.id = $1 AND s.ended_at IS NULL AND s.expires_at > now() AND s.auth_version = u.auth_version AND u.active AND t.suspended_at IS NULL
  $$;
ALTER FUNCTION find_user_session OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION find_user_session FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_user_session TO recollect_app;
