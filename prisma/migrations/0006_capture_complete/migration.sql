-- What the complete way in needs to know: whether a session is captured, where a row came from, whose words a prompt is, and what must not come back.

-- Off: a session goes on, but what it says is not stored.
ALTER TABLE "sessions" ADD COLUMN "capture" BOOLEAN NOT NULL DEFAULT true;

-- Which way an event came: hook, event, spool, transcript, import.
ALTER TABLE "capture_keys" ADD COLUMN "source" TEXT NOT NULL DEFAULT 'hook';

ALTER TABLE "prompts" ADD COLUMN "agent_id" TEXT;
ALTER TABLE "prompts" ADD COLUMN "agent_type" TEXT;
ALTER TABLE "prompts" ADD COLUMN "data_class" TEXT NOT NULL DEFAULT 'internal';

-- What was forgotten, by hash alone: neither a spool nor a transcript nor a restore may bring it back.
CREATE TABLE "tombstones" (
  "tenant_id" UUID NOT NULL,
  "host" TEXT NOT NULL,
  "external_id" TEXT NOT NULL,
  "key_sha256" BYTEA NOT NULL,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "tombstones_pkey" PRIMARY KEY ("tenant_id", "host", "external_id", "key_sha256"),
  CONSTRAINT "tombstones_key_is_sha256" CHECK (octet_length(key_sha256) = 32)
);
ALTER TABLE "tombstones" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "tombstones" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "tombstones" USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()));
GRANT SELECT, INSERT, UPDATE, DELETE ON "tombstones" TO recollect_app, recollect_maintenance;
GRANT SELECT ON "tombstones" TO recollect_definer;
