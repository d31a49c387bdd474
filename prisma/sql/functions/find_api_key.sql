-- Returns the principal of a key by its SHA-256: the one query that runs before a tenant is known.
CREATE OR REPLACE FUNCTION find_api_key(key_sha256 bytea)
  RETURNS TABLE (id uuid, tenant_id uuid, user_id uuid, role text, scopes text[], expires_at timestamptz, last_used_at timestamptz,
    requests_per_minute integer, namespaces text[], projects uuid[], is_operator boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    SELECT k.id, k.tenant_id, k.user_id, u.role, k.scopes, k.expires_at, k.last_used_at, k.requests_per_minute, k.namespaces, k.projects, u.role = 'admin' AND t.is_operator
      FROM api_keys k JOIN users u ON u.id = k.user_id JOIN tenants t ON t.id = k.tenant_id
     WHERE k.key_sha256 = $1 AND k.revoked_at IS NULL AND u.active AND t.suspended_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
  $$;
ALTER FUNCTION find_api_key OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION find_api_key FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_api_key TO recollect_app;
