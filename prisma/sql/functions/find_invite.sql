-- Returns the user of an invite by the SHA-256 of its token, while it can be accepted. The tenant is not known before; the caller accepts the invite
-- in a transaction of that tenant.
CREATE OR REPLACE FUNCTION find_invite(token_sha256 bytea)
  RETURNS TABLE (id uuid, tenant_id uuid, user_id uuid, username text, role text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    SELECT i.id, i.tenant_id, i.user_id, u.username, u.role
      FROM user_invites i JOIN users u ON u.id = i.user_id JOIN tenants t ON t.id = i.tenant_id
     WHERE i.token_sha256 = $1 AND i.accepted_at IS NULL AND i.expires_at > now() AND u.active AND t.suspended_at IS NULL
  $$;
ALTER FUNCTION find_invite OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION find_invite FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_invite TO recollect_app;
