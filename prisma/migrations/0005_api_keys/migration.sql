-- Who a key belongs to, by its SHA-256: the one question that must be asked before a tenant is known.
CREATE FUNCTION find_api_key(key_sha256 bytea)
  RETURNS TABLE (id uuid, tenant_id uuid, user_id uuid, role text, scopes text[], expires_at timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    SELECT k.id, k.tenant_id, k.user_id, u.role, k.scopes, k.expires_at
      FROM api_keys k JOIN users u ON u.id = k.user_id
     WHERE k.key_sha256 = $1 AND k.revoked_at IS NULL AND u.active AND (k.expires_at IS NULL OR k.expires_at > now())
  $$;

GRANT CREATE ON SCHEMA public TO recollect_definer;
ALTER FUNCTION find_api_key(bytea) OWNER TO recollect_definer;
REVOKE CREATE ON SCHEMA public FROM recollect_definer;
REVOKE EXECUTE ON FUNCTION find_api_key(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_api_key(bytea) TO recollect_app;
