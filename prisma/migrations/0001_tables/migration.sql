-- Tables as prisma/schema.prisma names them, with what Prisma cannot say: partitions, generated columns, checks.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;

-- CreateTable
CREATE TABLE "tenants" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "limits" JSONB NOT NULL DEFAULT '{}',
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tenants_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "users" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "username" TEXT NOT NULL,
    "email" TEXT,
    "password_hash" TEXT NOT NULL,
    "role" TEXT NOT NULL DEFAULT 'user',
    "totp_secret" BYTEA,
    "preferences" JSONB NOT NULL DEFAULT '{}',
    "daily_token_quota" INTEGER NOT NULL DEFAULT 1000000,
    "tokens_used_today" INTEGER NOT NULL DEFAULT 0,
    "tokens_used_on" DATE,
    "active" BOOLEAN NOT NULL DEFAULT true,
    "restricted_until" TIMESTAMPTZ(6),
    "last_login_at" TIMESTAMPTZ(6),
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_keys" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "prefix" TEXT NOT NULL,
    "key_sha256" BYTEA NOT NULL,
    "name" TEXT NOT NULL,
    "scopes" TEXT[],
    "requests_per_minute" INTEGER,
    "expires_at" TIMESTAMPTZ(6),
    "last_used_at" TIMESTAMPTZ(6),
    "revoked_at" TIMESTAMPTZ(6),
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "projects" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "display_name" TEXT NOT NULL,
    "git_remote" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "projects_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "project_aliases" (
    "tenant_id" UUID NOT NULL,
    "alias" TEXT NOT NULL,
    "project_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "project_aliases_pkey" PRIMARY KEY ("tenant_id","alias")
);

-- CreateTable
CREATE TABLE "sessions" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "project_id" UUID,
    "host" TEXT NOT NULL,
    "external_id" TEXT NOT NULL,
    "namespace" TEXT NOT NULL DEFAULT 'default',
    "title" TEXT,
    "status" TEXT NOT NULL DEFAULT 'active',
    "phase" TEXT NOT NULL DEFAULT 'active',
    "waiting_reason" TEXT,
    "last_error" TEXT,
    "infer" BOOLEAN NOT NULL DEFAULT true,
    "model" TEXT,
    "token_count" INTEGER NOT NULL DEFAULT 0,
    "prompt_count" INTEGER NOT NULL DEFAULT 0,
    "observation_count" INTEGER NOT NULL DEFAULT 0,
    "last_seq" INTEGER NOT NULL DEFAULT 0,
    "consumed_seq" INTEGER NOT NULL DEFAULT 0,
    "windowed_seq" INTEGER NOT NULL DEFAULT 0,
    "learned_seq" INTEGER NOT NULL DEFAULT 0,
    "last_hash" BYTEA,
    "last_row_id" UUID,
    "last_prompt_id" UUID,
    "workflow_id" TEXT,
    "metadata" JSONB NOT NULL DEFAULT '{}',
    "started_at" TIMESTAMPTZ(6) NOT NULL,
    "last_event_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(6),

    CONSTRAINT "sessions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "capture_keys" (
    "session_id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "tenant_id" UUID NOT NULL,
    "seq" INTEGER NOT NULL,
    "kind" TEXT NOT NULL,
    "row_id" UUID NOT NULL,

    CONSTRAINT "capture_keys_pkey" PRIMARY KEY ("session_id","key")
) PARTITION BY HASH ("session_id");

-- CreateTable
CREATE TABLE "boundaries" (
    "session_id" UUID NOT NULL,
    "seq" INTEGER NOT NULL,
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "reason" TEXT,
    "agent_id" TEXT,
    "agent_type" TEXT,
    "occurred_at" TIMESTAMPTZ(6) NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "boundaries_pkey" PRIMARY KEY ("session_id","seq")
);

-- CreateTable
CREATE TABLE "windows" (
    "session_id" UUID NOT NULL,
    "n" INTEGER NOT NULL,
    "tenant_id" UUID NOT NULL,
    "from_seq" INTEGER NOT NULL,
    "to_seq" INTEGER NOT NULL,
    "tokens" INTEGER NOT NULL,
    "reason" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'cut',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "error" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "windows_pkey" PRIMARY KEY ("session_id","n")
);

-- CreateTable
CREATE TABLE "prompts" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "session_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "seq" INTEGER NOT NULL,
    "type" TEXT NOT NULL,
    "content" TEXT NOT NULL,
    "sha256" BYTEA NOT NULL,
    "tokens" INTEGER NOT NULL,
    "redactions" JSONB,
    "search" tsvector,
    "occurred_at" TIMESTAMPTZ(6) NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "prompts_pkey" PRIMARY KEY ("id")
) PARTITION BY RANGE ("id");

-- CreateTable
CREATE TABLE "observations" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "session_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "prompt_id" UUID,
    "seq" INTEGER NOT NULL,
    "type" TEXT NOT NULL,
    "event" TEXT NOT NULL,
    "tool" TEXT,
    "title" TEXT NOT NULL,
    "content" TEXT NOT NULL,
    "preview" TEXT NOT NULL,
    "input" JSONB,
    "importance" REAL NOT NULL DEFAULT 0.5,
    "flagged" BOOLEAN NOT NULL DEFAULT false,
    "tags" TEXT[],
    "files_read" TEXT[],
    "files_modified" TEXT[],
    "agent_id" TEXT,
    "agent_type" TEXT,
    "key" TEXT,
    "tokens" INTEGER NOT NULL,
    "duration_ms" INTEGER,
    "data_class" TEXT NOT NULL DEFAULT 'internal',
    "redactions" JSONB,
    "metadata" JSONB,
    "search" tsvector,
    "occurred_at" TIMESTAMPTZ(6) NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "observations_pkey" PRIMARY KEY ("id")
) PARTITION BY RANGE ("id");

-- CreateTable
CREATE TABLE "summaries" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "session_id" UUID NOT NULL,
    "project_id" UUID,
    "user_id" UUID NOT NULL,
    "slot" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "kind" TEXT,
    "title" TEXT NOT NULL,
    "content" TEXT NOT NULL,
    "request" TEXT,
    "investigated" TEXT,
    "learned" TEXT,
    "completed" TEXT,
    "next_steps" TEXT,
    "notes" TEXT,
    "key_points" JSONB NOT NULL DEFAULT '[]',
    "action_items" JSONB NOT NULL DEFAULT '[]',
    "evidence" JSONB NOT NULL DEFAULT '[]',
    "tags" TEXT[],
    "files_read" TEXT[],
    "files_modified" TEXT[],
    "importance" REAL NOT NULL DEFAULT 0.5,
    "model" TEXT NOT NULL,
    "input_tokens" INTEGER NOT NULL,
    "output_tokens" INTEGER NOT NULL,
    "cost_usd" DECIMAL(12,6) NOT NULL,
    "quality" REAL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "published" BOOLEAN NOT NULL DEFAULT true,
    "window_n" INTEGER,
    "from_seq" INTEGER NOT NULL,
    "to_seq" INTEGER NOT NULL,
    "search" tsvector GENERATED ALWAYS AS (to_tsvector('english'::regconfig, ((title || ' '::text) || content))) STORED,
    "occurred_at" TIMESTAMPTZ(6) NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "summaries_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "learnings" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "project_id" UUID,
    "user_id" UUID NOT NULL,
    "session_id" UUID,
    "namespace" TEXT NOT NULL DEFAULT 'default',
    "fingerprint" BYTEA NOT NULL,
    "category" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "context" TEXT NOT NULL DEFAULT '',
    "examples" JSONB NOT NULL DEFAULT '[]',
    "tags" TEXT[],
    "confidence" REAL NOT NULL,
    "use_count" INTEGER NOT NULL DEFAULT 0,
    "last_used_at" TIMESTAMPTZ(6),
    "verified_by" UUID,
    "verified_at" TIMESTAMPTZ(6),
    "verify_note" TEXT,
    "valid_from" TIMESTAMPTZ(6) NOT NULL,
    "valid_to" TIMESTAMPTZ(6),
    "superseded_by" UUID,
    "reason" TEXT,
    "search" tsvector GENERATED ALWAYS AS (to_tsvector('english'::regconfig, ((((title || ' '::text) || description) || ' '::text) || context))) STORED,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "learnings_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "learning_evidence" (
    "learning_id" UUID NOT NULL,
    "row_id" UUID NOT NULL,
    "quote_sha256" BYTEA NOT NULL,
    "tenant_id" UUID NOT NULL,
    "session_id" UUID NOT NULL,
    "quote" TEXT NOT NULL,
    "weight" REAL NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "learning_evidence_pkey" PRIMARY KEY ("learning_id","row_id","quote_sha256")
);

-- CreateTable
CREATE TABLE "embeddings" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "session_id" UUID,
    "resource_type" TEXT NOT NULL,
    "resource_id" UUID NOT NULL,
    "chunk" INTEGER NOT NULL,
    "model" TEXT NOT NULL,
    "dimension" INTEGER NOT NULL,
    "content_hash" BYTEA NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'pending',
    "object_id" UUID NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "error" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "indexed_at" TIMESTAMPTZ(6),
    "failed_at" TIMESTAMPTZ(6),

    CONSTRAINT "embeddings_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "usage_ledger" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "user_id" UUID,
    "session_id" UUID,
    "operation" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "input_tokens" INTEGER NOT NULL,
    "output_tokens" INTEGER NOT NULL,
    "tokens_cached" INTEGER NOT NULL,
    "cost_usd" DECIMAL(12,6) NOT NULL,
    "cache_hit" BOOLEAN NOT NULL DEFAULT false,
    "batch" BOOLEAN NOT NULL DEFAULT false,
    "latency_ms" INTEGER NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "usage_ledger_pkey" PRIMARY KEY ("id")
) PARTITION BY RANGE ("id");

-- CreateTable
CREATE TABLE "settings" (
    "id" UUID NOT NULL,
    "scope" TEXT NOT NULL,
    "tenant_id" UUID,
    "scope_id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "value" JSONB,
    "sensitive" BOOLEAN NOT NULL DEFAULT false,
    "encrypted_value" BYTEA,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_by" UUID,

    CONSTRAINT "settings_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "tenants_name_key" ON "tenants"("name");

-- CreateIndex
CREATE UNIQUE INDEX "users_tenant_id_username_key" ON "users"("tenant_id", "username");

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_key_sha256_key" ON "api_keys"("key_sha256");

-- CreateIndex
CREATE INDEX "api_keys_user_id_idx" ON "api_keys"("user_id");

-- CreateIndex
CREATE INDEX "api_keys_tenant_id_idx" ON "api_keys"("tenant_id");

-- CreateIndex
CREATE INDEX "projects_tenant_id_idx" ON "projects"("tenant_id");

-- CreateIndex
CREATE INDEX "project_aliases_project_id_idx" ON "project_aliases"("project_id");

-- CreateIndex
CREATE INDEX "sessions_tenant_id_id_idx" ON "sessions"("tenant_id", "id" DESC);

-- CreateIndex
CREATE INDEX "sessions_user_id_idx" ON "sessions"("user_id");

-- CreateIndex
CREATE INDEX "sessions_project_id_id_idx" ON "sessions"("project_id", "id" DESC);

-- CreateIndex
CREATE INDEX "sessions_unconsumed_idx" ON "sessions"("last_event_at") WHERE (last_seq > consumed_seq);

-- CreateIndex
CREATE UNIQUE INDEX "sessions_tenant_id_host_external_id_key" ON "sessions"("tenant_id", "host", "external_id");

-- CreateIndex
CREATE UNIQUE INDEX "capture_keys_session_id_seq_key" ON "capture_keys"("session_id", "seq");

-- CreateIndex
CREATE INDEX "prompts_session_id_seq_idx" ON "prompts"("session_id", "seq");

-- CreateIndex
CREATE INDEX "prompts_search_idx" ON "prompts" USING GIN ("tenant_id" uuid_ops, "search");

-- CreateIndex
CREATE INDEX "observations_session_id_seq_idx" ON "observations"("session_id", "seq");

-- CreateIndex
CREATE INDEX "observations_search_idx" ON "observations" USING GIN ("tenant_id" uuid_ops, "search");

-- CreateIndex
CREATE INDEX "summaries_tenant_id_id_idx" ON "summaries"("tenant_id", "id" DESC);

-- CreateIndex
CREATE INDEX "summaries_project_id_type_id_idx" ON "summaries"("project_id", "type", "id" DESC);

-- CreateIndex
CREATE INDEX "summaries_search_idx" ON "summaries" USING GIN ("tenant_id" uuid_ops, "search");

-- CreateIndex
CREATE UNIQUE INDEX "summaries_session_id_slot_key" ON "summaries"("session_id", "slot");

-- CreateIndex
CREATE INDEX "learnings_project_id_id_idx" ON "learnings"("project_id", "id" DESC);

-- CreateIndex
CREATE INDEX "learnings_session_id_idx" ON "learnings"("session_id");

-- CreateIndex
CREATE INDEX "learnings_search_idx" ON "learnings" USING GIN ("tenant_id" uuid_ops, "search");

-- CreateIndex
CREATE UNIQUE INDEX "learnings_tenant_id_fingerprint_key" ON "learnings"("tenant_id", "fingerprint");

-- CreateIndex
CREATE INDEX "learning_evidence_session_id_idx" ON "learning_evidence"("session_id");

-- CreateIndex
CREATE INDEX "embeddings_pending_idx" ON "embeddings"("tenant_id", "model", "id") WHERE (state = 'pending');

-- CreateIndex
CREATE INDEX "embeddings_session_pending_idx" ON "embeddings"("session_id") WHERE (state = 'pending');

-- CreateIndex
CREATE UNIQUE INDEX "embeddings_resource_id_chunk_model_key" ON "embeddings"("resource_id", "chunk", "model");

-- CreateIndex
CREATE INDEX "usage_ledger_tenant_id_created_at_idx" ON "usage_ledger"("tenant_id", "created_at");

-- CreateIndex
CREATE INDEX "usage_ledger_session_id_idx" ON "usage_ledger"("session_id");

-- CreateIndex
CREATE INDEX "settings_tenant_id_idx" ON "settings"("tenant_id");

-- CreateIndex
CREATE UNIQUE INDEX "settings_scope_scope_id_key_key" ON "settings"("scope", "scope_id", "key");

-- AddForeignKey
ALTER TABLE "users" ADD CONSTRAINT "users_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "projects" ADD CONSTRAINT "projects_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "project_aliases" ADD CONSTRAINT "project_aliases_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_tenant_id_fkey" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "capture_keys" ADD CONSTRAINT "capture_keys_session_id_fkey" FOREIGN KEY ("session_id") REFERENCES "sessions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "boundaries" ADD CONSTRAINT "boundaries_session_id_fkey" FOREIGN KEY ("session_id") REFERENCES "sessions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "windows" ADD CONSTRAINT "windows_session_id_fkey" FOREIGN KEY ("session_id") REFERENCES "sessions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "summaries" ADD CONSTRAINT "summaries_session_id_fkey" FOREIGN KEY ("session_id") REFERENCES "sessions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "summaries" ADD CONSTRAINT "summaries_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "learnings" ADD CONSTRAINT "learnings_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "learning_evidence" ADD CONSTRAINT "learning_evidence_learning_id_fkey" FOREIGN KEY ("learning_id") REFERENCES "learnings"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Closed lists of values.
ALTER TABLE "users" ADD CONSTRAINT "users_role_check" CHECK (role IN ('admin', 'user', 'viewer'));
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_status_check" CHECK (status IN ('active', 'ended', 'archived', 'deleted'));
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_phase_check" CHECK (phase IN ('active', 'summarising', 'closing', 'settled'));
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_positions_check" CHECK (windowed_seq <= consumed_seq AND consumed_seq <= last_seq);
ALTER TABLE "capture_keys" ADD CONSTRAINT "capture_keys_kind_check" CHECK (kind IN ('prompt', 'observation', 'boundary'));
ALTER TABLE "boundaries" ADD CONSTRAINT "boundaries_kind_check"
  CHECK (kind IN ('session_start', 'turn_end', 'compaction', 'subagent_start', 'subagent_stop', 'session_end', 'other'));
ALTER TABLE "windows" ADD CONSTRAINT "windows_state_check" CHECK (state IN ('cut', 'summarised', 'parked'));
ALTER TABLE "windows" ADD CONSTRAINT "windows_range_check" CHECK (from_seq <= to_seq);
ALTER TABLE "prompts" ADD CONSTRAINT "prompts_type_check" CHECK (type IN ('user', 'assistant', 'system', 'tool'));
ALTER TABLE "observations" ADD CONSTRAINT "observations_type_check" CHECK (type IN ('tool_result', 'error', 'warning', 'info'));
ALTER TABLE "observations" ADD CONSTRAINT "observations_importance_check" CHECK (importance BETWEEN 0 AND 1);
ALTER TABLE "observations" ADD CONSTRAINT "observations_data_class_check"
  CHECK (data_class IN ('public', 'internal', 'sensitive', 'confidential', 'restricted'));
ALTER TABLE "summaries" ADD CONSTRAINT "summaries_type_check" CHECK (type IN ('session', 'topic', 'action', 'item'));
ALTER TABLE "learnings" ADD CONSTRAINT "learnings_category_check"
  CHECK (category IN ('pattern', 'solution', 'error', 'config', 'best_practice', 'general'));
ALTER TABLE "learnings" ADD CONSTRAINT "learnings_validity_check" CHECK (valid_to IS NULL OR valid_to >= valid_from);
ALTER TABLE "embeddings" ADD CONSTRAINT "embeddings_state_check" CHECK (state IN ('pending', 'indexed', 'failed'));
ALTER TABLE "settings" ADD CONSTRAINT "settings_scope_check" CHECK (scope IN ('system', 'tenant', 'project'));

-- Uniqueness of events is spread over sixteen parts by session; a session's keys always lie in one of them.
DO $$
BEGIN
  FOR part IN 0..15 LOOP
    EXECUTE format('CREATE TABLE capture_keys_p%s PARTITION OF capture_keys FOR VALUES WITH (MODULUS 16, REMAINDER %s)', lpad(part::text, 2, '0'), part);
  END LOOP;
END
$$;

-- The smallest UUIDv7 of a moment: 48 bits of milliseconds, then zeros.
CREATE FUNCTION uuidv7_floor(moment timestamptz) RETURNS uuid
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid $$;

-- Makes the month partitions of the hot tables from one month back to `months_ahead` months on; answers how many were new.
-- A row outside every month would be refused, so there is also one partition for the rest: it stays empty while this runs on schedule, and what
-- came to lie there while it did not run moves into its month.
CREATE FUNCTION ensure_partitions(months_ahead integer DEFAULT 3) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
DECLARE
  hot text;
  -- Of UTC, without a zone: adding months to a moment would count them in the zone of whoever asks.
  month timestamp;
  part text;
  lowest uuid;
  above uuid;
  made integer := 0;
BEGIN
  FOREACH hot IN ARRAY ARRAY['prompts', 'observations', 'usage_ledger'] LOOP
    IF to_regclass(hot || '_rest') IS NULL THEN
      EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', hot || '_rest', hot);
    END IF;
    FOR step IN -1..months_ahead LOOP
      month := date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => step);
      part := hot || '_' || to_char(month, 'YYYY_MM');
      IF to_regclass(part) IS NULL THEN
        lowest := uuidv7_floor(month AT TIME ZONE 'UTC');
        above := uuidv7_floor((month + interval '1 month') AT TIME ZONE 'UTC');
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, hot);
        EXECUTE format('WITH moved AS (DELETE FROM %I WHERE id >= %L AND id < %L RETURNING *) INSERT INTO %I SELECT * FROM moved', hot || '_rest', lowest, above, part);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', hot, part, lowest, above);
        made := made + 1;
      END IF;
    END LOOP;
  END LOOP;
  RETURN made;
END
$$;
REVOKE EXECUTE ON FUNCTION ensure_partitions(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_partitions(integer) TO recollect_maintenance;
SELECT ensure_partitions();
