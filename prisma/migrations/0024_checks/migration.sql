-- Comparisons of the stores, one row a tenant and run; and the figures of each day.

CREATE TABLE "consistency_checks" (
  "id" UUID NOT NULL,
  "tenant_id" UUID NOT NULL,
  -- Who asked for it; null: the schedule.
  "user_id" UUID,
  "state" TEXT NOT NULL DEFAULT 'running',
  -- Whether what is found is mended.
  "repair" BOOLEAN NOT NULL DEFAULT false,
  "rows" BIGINT NOT NULL DEFAULT 0,
  -- How many of each kind.
  "found" JSONB NOT NULL DEFAULT '{}',
  "repaired" JSONB NOT NULL DEFAULT '{}',
  "error" TEXT,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "finished_at" TIMESTAMPTZ(6),
  CONSTRAINT "consistency_checks_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "consistency_checks_state_check" CHECK (state IN ('running', 'completed', 'failed', 'cancelled'))
);
CREATE INDEX "consistency_checks_tenant_id_id_idx" ON "consistency_checks"("tenant_id", "id" DESC);

CREATE TABLE "stats_snapshots" (
  "id" UUID NOT NULL,
  -- Null: of the whole instance.
  "tenant_id" UUID,
  "date" DATE NOT NULL,
  "metric" TEXT NOT NULL,
  "dimensions" JSONB NOT NULL DEFAULT '{}',
  "value" DOUBLE PRECISION NOT NULL,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "stats_snapshots_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "stats_snapshots_figure_key" ON "stats_snapshots"("tenant_id", "date", "metric", "dimensions") NULLS NOT DISTINCT;

-- The ledger in the order in which the vector index lists its objects: both are gone through side by side.
CREATE INDEX "embeddings_objects_idx" ON "embeddings"("tenant_id", "model", "object_id");

DO $$
DECLARE
  owned text;
BEGIN
  FOREACH owned IN ARRAY ARRAY['checks', 'stats_snapshots'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', owned);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', owned);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()))', owned);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO recollect_app, recollect_maintenance', owned);
  END LOOP;
END
$$;

-- What the last comparison of each tenant found and did not mend, for the metrics: sums over all tenants, and nothing else of the rows.
CREATE FUNCTION index_divergence()
  RETURNS TABLE (kind text, left_over bigint)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  WITH last AS (SELECT DISTINCT ON (tenant_id) found, repaired FROM consistency_checks WHERE state = 'completed' ORDER BY tenant_id, id DESC)
  SELECT f.key, sum(f.value::bigint - coalesce((last.repaired ->> f.key)::bigint, 0))::bigint FROM last CROSS JOIN LATERAL jsonb_each_text(last.found) AS f GROUP BY 1
$$;
GRANT SELECT ON "consistency_checks" TO recollect_definer;
GRANT CREATE ON SCHEMA public TO recollect_definer;
ALTER FUNCTION index_divergence() OWNER TO recollect_definer;
REVOKE CREATE ON SCHEMA public FROM recollect_definer;
REVOKE EXECUTE ON FUNCTION index_divergence() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION index_divergence() TO recollect_app;

-- Figures of the whole instance are for whoever runs it: an admin of the tenant that it was set up with.
CREATE POLICY operator_reads ON "stats_snapshots" FOR SELECT
  USING (tenant_id IS NULL AND EXISTS (SELECT FROM tenants t WHERE t.id = (SELECT current_tenant_id()) AND t.is_operator));
