-- Returns a passkey by its credential, while its user may log in. The tenant is not known before.
CREATE OR REPLACE FUNCTION find_passkey(credential_id bytea)
  RETURNS TABLE (id uuid, tenant_id uuid, user_id uuid, public_key bytea, sign_count bigint, auth_version integer)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    SELECT p.id, p.tenant_id, p.user_id, p.public_key, p.sign_count, u.auth_version
      FROM passkeys p JOIN users u ON u.id = p.user_id JOIN tenants t ON t.id = p.tenant_id
     WHERE p.credential_id = $1 AND u.active AND t.suspended_at IS NULL
  $$;
ALTER FUNCTION find_passkey OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION find_passkey FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_passkey TO recollect_app;
