-- Returns a row for a log-in: what names the account, known or not, and the active user by name or email address; the tenant is not known before. Without the
-- name of a tenant: that of the operators. An email address that several users of the tenant have finds none of them.
CREATE OR REPLACE FUNCTION find_login(tenant_name text, login text)
  RETURNS TABLE (account text, tenant_id uuid, user_id uuid, username text, password_hash text, auth_version integer, has_factors boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    WITH tenant AS (
      SELECT t.id FROM tenants t
       WHERE CASE WHEN $1 IS NULL THEN t.is_operator ELSE t.name = $1 END AND t.suspended_at IS NULL
    ), found AS (
      SELECT u.*, u.username = lower($2) AS is_named FROM users u JOIN tenant t ON t.id = u.tenant_id
       WHERE u.active AND (u.username = lower($2) OR lower(u.email) = lower($2))
    )
    SELECT jsonb_build_array(coalesce((SELECT t.id::text FROM tenant t), $1), lower($2))::text,
           f.tenant_id, f.id, f.username, f.password_hash, f.auth_version,
           EXISTS (SELECT FROM mfa_totp m WHERE m.user_id = f.id AND m.confirmed_at IS NOT NULL)
      FROM (VALUES (1)) AS always LEFT JOIN found f ON f.is_named OR (SELECT count(*) FROM found) = 1
  $$;
ALTER FUNCTION find_login OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION find_login FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_login TO recollect_app;
