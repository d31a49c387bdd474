-- Row-level security: a query without a tenant sees nothing, one with a tenant sees that tenant alone.
-- The tenant is a setting of the transaction (`set_config('app.tenant_id', …, true)`); an empty one counts as none.
CREATE FUNCTION current_tenant_id() RETURNS uuid
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('app.tenant_id', true), '')::uuid $$;

DO $$
DECLARE
  owned text;
BEGIN
  FOREACH owned IN ARRAY ARRAY['users', 'api_keys', 'projects', 'project_aliases', 'sessions', 'capture_keys', 'boundaries', 'windows',
    'prompts', 'observations', 'summaries', 'learnings', 'learning_evidence', 'embeddings', 'usage_ledger'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', owned);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', owned);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()))', owned);
  END LOOP;
END
$$;

ALTER TABLE "tenants" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "tenants" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "tenants" USING (id = (SELECT current_tenant_id())) WITH CHECK (id = (SELECT current_tenant_id()));

-- The system's own settings are read by all and written by maintenance alone.
ALTER TABLE "settings" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "settings" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "settings" USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()));
CREATE POLICY system_settings ON "settings" FOR SELECT USING (scope = 'system' AND (SELECT current_tenant_id()) IS NOT NULL);

-- Grants go to the parents only: a partition read by its own name would miss the policies, so it is refused.
GRANT USAGE ON SCHEMA public TO recollect_app, recollect_maintenance, recollect_definer;
GRANT SELECT, INSERT, UPDATE, DELETE ON "tenants", "users", "api_keys", "projects", "project_aliases", "sessions", "capture_keys", "boundaries",
  "windows", "prompts", "observations", "summaries", "learnings", "learning_evidence", "embeddings", "usage_ledger", "settings"
  TO recollect_app, recollect_maintenance;
GRANT SELECT, INSERT, UPDATE ON "projects", "project_aliases", "sessions", "capture_keys", "boundaries", "prompts", "observations" TO recollect_definer;
GRANT SELECT ON "tenants", "users", "api_keys", "summaries", "learnings" TO recollect_definer;
REVOKE INSERT, DELETE ON "tenants" FROM recollect_app;
