-- Some things concern the whole instance and no tenant alone: backups, restores, schedules. Who may do them is an admin of the tenant that the
-- instance was set up with; an admin of another tenant must not read or replace what is not his.
ALTER TABLE "tenants" ADD COLUMN "is_operator" BOOLEAN NOT NULL DEFAULT false;
CREATE UNIQUE INDEX "tenants_is_operator_key" ON "tenants"("is_operator") WHERE (is_operator);

-- The owner is bound by the policies, too, and would see no tenant.
ALTER TABLE "tenants" NO FORCE ROW LEVEL SECURITY;
UPDATE "tenants" SET is_operator = true WHERE id = (SELECT id FROM "tenants" ORDER BY created_at, id LIMIT 1);
ALTER TABLE "tenants" FORCE ROW LEVEL SECURITY;

-- One column more: a function's result cannot be changed in place.
DROP FUNCTION find_api_key(bytea);
CREATE FUNCTION find_api_key(key_sha256 bytea)
  RETURNS TABLE (id uuid, tenant_id uuid, user_id uuid, role text, scopes text[], expires_at timestamptz, is_operator boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    SELECT k.id, k.tenant_id, k.user_id, u.role, k.scopes, k.expires_at, u.role = 'admin' AND t.is_operator
      FROM api_keys k JOIN users u ON u.id = k.user_id JOIN tenants t ON t.id = k.tenant_id
     WHERE k.key_sha256 = $1 AND k.revoked_at IS NULL AND u.active AND (k.expires_at IS NULL OR k.expires_at > now())
  $$;

GRANT CREATE ON SCHEMA public TO recollect_definer;
ALTER FUNCTION find_api_key(bytea) OWNER TO recollect_definer;
REVOKE CREATE ON SCHEMA public FROM recollect_definer;
REVOKE EXECUTE ON FUNCTION find_api_key(bytea) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_api_key(bytea) TO recollect_app;
