-- Restores and restore drills of this instance, and what they proved. What a restore replaced and what came instead both have its row.
CREATE TABLE "restores" (
  "id" UUID NOT NULL,
  -- restore: into this instance; drill: beside it, and away again.
  "kind" TEXT NOT NULL,
  -- Null until the newest set is looked up.
  "set_id" UUID,
  -- Where the set is read; null: the instance's own store.
  "address" TEXT,
  -- Fingerprint of a signer that was named, beside those that are trusted.
  "signer" TEXT,
  -- What has sessions or learnings may be replaced.
  "overwrite" BOOLEAN NOT NULL DEFAULT false,
  -- Only reads the set, every byte of it.
  "dry_run" BOOLEAN NOT NULL DEFAULT false,
  "state" TEXT NOT NULL DEFAULT 'running',
  -- checking, copying, indexing, proving, vectors, swapping, resuming.
  "phase" TEXT NOT NULL DEFAULT 'checking',
  "counts" JSONB NOT NULL DEFAULT '{}',
  -- What was compared, and how it came out.
  "result" JSONB,
  -- Type of the failure, from the closed list of the activities; what it says names files, never what stands in them.
  "error" TEXT,
  "message" TEXT,
  -- A user's id; null where the schedule asked. No foreign key: the row outlives the user.
  "requested_by" UUID,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "finished_at" TIMESTAMPTZ(6),
  CONSTRAINT "restores_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "restores_kind_check" CHECK (kind IN ('restore', 'drill')),
  CONSTRAINT "restores_state_check" CHECK (state IN ('running', 'completed', 'failed', 'cancelled')),
  CONSTRAINT "restores_phase_check" CHECK (phase IN ('checking', 'copying', 'indexing', 'proving', 'vectors', 'swapping', 'resuming'))
);
-- One at a time.
CREATE UNIQUE INDEX "restores_running_key" ON "restores"("state") WHERE (state = 'running');

-- The instance's, not a tenant's: seen and asked for from the tenant that the instance was set up with.
ALTER TABLE "restores" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "restores" FORCE ROW LEVEL SECURITY;
CREATE POLICY operator_only ON "restores"
  USING ((SELECT t.is_operator FROM tenants t WHERE t.id = (SELECT current_tenant_id())))
  WITH CHECK ((SELECT t.is_operator FROM tenants t WHERE t.id = (SELECT current_tenant_id())));
GRANT SELECT, INSERT ON "restores" TO recollect_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON "restores" TO recollect_maintenance;

ALTER TABLE "system_alerts" DROP CONSTRAINT "system_alerts_type_check";
ALTER TABLE "system_alerts" ADD CONSTRAINT "system_alerts_type_check" CHECK (type IN ('budget_threshold', 'restore_drill_failed'));
