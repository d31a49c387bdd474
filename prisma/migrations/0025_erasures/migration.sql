-- Erasures with their receipts, exports, and sessions that are hidden without being deleted.

-- Hidden from search, context and lists until then; `users.restricted_until` hides all of a person's.
ALTER TABLE "sessions" ADD COLUMN "restricted_until" TIMESTAMPTZ(6);
CREATE INDEX "sessions_restricted_idx" ON "sessions"("tenant_id") WHERE (restricted_until IS NOT NULL);

-- No foreign key: a row outlives whom it erased, and the tenant.
CREATE TABLE "erasures" (
  "id" UUID NOT NULL,
  "tenant_id" UUID NOT NULL,
  -- A user's id; null when that person was erased, too.
  "requested_by" UUID,
  "kind" TEXT NOT NULL,
  -- The session, the user or the tenant; null for a text, and for a user when it is done.
  "subject" UUID,
  -- The text that is looked for; null when it is done.
  "needle" TEXT,
  "state" TEXT NOT NULL DEFAULT 'running',
  -- queued, journalled, rows, vectors, files, done.
  "phase" TEXT NOT NULL DEFAULT 'queued',
  -- Ids of what is to go, and where its vectors stood; never content. Null when it is done.
  "found" JSONB,
  "counts" JSONB NOT NULL DEFAULT '{}',
  "receipt" JSONB,
  "error" TEXT,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "finished_at" TIMESTAMPTZ(6),
  CONSTRAINT "erasures_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "erasures_kind_check" CHECK (kind IN ('session', 'user', 'tenant', 'text')),
  CONSTRAINT "erasures_state_check" CHECK (state IN ('running', 'completed', 'failed', 'cancelled'))
);
CREATE INDEX "erasures_tenant_id_id_idx" ON "erasures"("tenant_id", "id" DESC);

CREATE TABLE "exports" (
  "id" UUID NOT NULL,
  "tenant_id" UUID NOT NULL,
  -- Who asked, and may fetch it.
  "user_id" UUID NOT NULL,
  "scope" TEXT NOT NULL,
  "subject" UUID,
  "state" TEXT NOT NULL DEFAULT 'running',
  -- Where it lies in the archive store.
  "object_key" TEXT NOT NULL,
  "bytes" BIGINT NOT NULL DEFAULT 0,
  -- Of the stored file; null until it is whole.
  "sha256" BYTEA,
  "counts" JSONB NOT NULL DEFAULT '{}',
  "error" TEXT,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "finished_at" TIMESTAMPTZ(6),
  "expires_at" TIMESTAMPTZ(6) NOT NULL,
  CONSTRAINT "exports_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "exports_scope_check" CHECK (scope IN ('tenant', 'project', 'user', 'session')),
  CONSTRAINT "exports_state_check" CHECK (state IN ('running', 'completed', 'failed', 'cancelled', 'expired')),
  CONSTRAINT "exports_sha256_check" CHECK (octet_length(sha256) = 32)
);
CREATE INDEX "exports_tenant_id_id_idx" ON "exports"("tenant_id", "id" DESC);
CREATE INDEX "exports_expires_at_idx" ON "exports"("expires_at") WHERE (state <> 'expired');

DO $$
DECLARE
  owned text;
BEGIN
  FOREACH owned IN ARRAY ARRAY['erasures', 'exports'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', owned);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', owned);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()))', owned);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO recollect_app, recollect_maintenance', owned);
  END LOOP;
  -- Exports say which tables they were written from. A database that migrations are only compared with has no such table.
  IF to_regclass('public._prisma_migrations') IS NOT NULL THEN
    GRANT SELECT (migration_name, finished_at) ON "_prisma_migrations" TO recollect_maintenance;
  END IF;
END
$$;
