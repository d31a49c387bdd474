-- What was served as context, by id alone, and what of it proved useful or wrong. Serving alone counts for nothing.
-- No foreign key points out: a context is written while an agent waits, and outlives what it served.
CREATE TABLE "contexts" (
  "id" UUID NOT NULL,
  "tenant_id" UUID NOT NULL,
  "user_id" UUID NOT NULL,
  "session_id" UUID,
  "project_id" UUID,
  "purpose" TEXT NOT NULL,
  "tokens" INTEGER NOT NULL,
  "item_ids" UUID[],
  "item_types" TEXT[],
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "contexts_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "contexts_purpose_check" CHECK (purpose IN ('session_start', 'prompt', 'file')),
  CONSTRAINT "contexts_items_check" CHECK (cardinality(item_ids) = cardinality(item_types))
);
-- Ids are ordered by time, so this is what retention walks along.
CREATE INDEX "contexts_tenant_id_id_idx" ON "contexts"("tenant_id", "id" DESC);

-- The same said twice of one context is one row.
CREATE TABLE "memory_uses" (
  "context_id" UUID NOT NULL,
  "resource_id" UUID NOT NULL,
  "kind" TEXT NOT NULL,
  "tenant_id" UUID NOT NULL,
  "user_id" UUID NOT NULL,
  "resource_type" TEXT NOT NULL,
  -- What it added to the memory's use: 0 where another sign of the same context had counted, and for 'wrong'.
  "weight" REAL NOT NULL DEFAULT 0,
  "note" TEXT,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "memory_uses_pkey" PRIMARY KEY ("context_id", "resource_id", "kind"),
  CONSTRAINT "memory_uses_kind_check" CHECK (kind IN ('useful', 'wrong', 'fetched')),
  CONSTRAINT "memory_uses_context_id_fkey" FOREIGN KEY ("context_id") REFERENCES "contexts"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
-- Today's uses of a memory: ranking leaves them out until the day is over.
CREATE INDEX "memory_uses_resource_id_created_at_idx" ON "memory_uses"("resource_id", "created_at");

DO $$
DECLARE
  owned text;
BEGIN
  FOREACH owned IN ARRAY ARRAY['contexts', 'memory_uses'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', owned);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', owned);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()))', owned);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO recollect_app, recollect_maintenance', owned);
  END LOOP;
END
$$;

-- Who says so: a model or the rules, from a session, or a person by hand.
ALTER TABLE "learnings" ADD COLUMN "origin" TEXT NOT NULL DEFAULT 'extracted';
ALTER TABLE "learnings" ADD CONSTRAINT "learnings_origin_check" CHECK (origin IN ('extracted', 'user'));
-- The newest of a tenant, whatever the project.
CREATE INDEX "learnings_tenant_id_id_idx" ON "learnings"("tenant_id", "id" DESC);

-- A memory's use as it stood when the UTC day began: what is told within the day does not change what the day's blocks of context hold.
CREATE FUNCTION use_at_day_start(memory uuid, weight real) RETURNS real
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT greatest(0, weight - coalesce((SELECT sum(u.weight) FROM memory_uses u WHERE u.resource_id = memory AND u.created_at >= date_trunc('day', now(), 'UTC')), 0))::real $$;
