-- How far transcripts were read, what became of the prompts in them, and the imports that read them.

-- One file a user has, or a client of theirs sends: read again from `read_offset`, which is always the start of something unfinished or the end.
CREATE TABLE "transcript_files" (
  "id" UUID NOT NULL,
  "tenant_id" UUID NOT NULL,
  "user_id" UUID NOT NULL,
  -- What tells the file from others: its machine (empty for this server's) and its path, by hash, because paths are long.
  "path_sha256" BYTEA NOT NULL,
  "machine" TEXT NOT NULL DEFAULT '',
  "path" TEXT NOT NULL,
  -- What the file is, so that another one in its place is read anew.
  "fingerprint" TEXT NOT NULL,
  "size" BIGINT NOT NULL DEFAULT 0,
  "modified_at" TIMESTAMPTZ(6) NOT NULL,
  -- Reading goes on here.
  "read_offset" BIGINT NOT NULL DEFAULT 0,
  -- Up to here lines are counted.
  "counted_offset" BIGINT NOT NULL DEFAULT 0,
  -- Something at the end is unfinished: it is looked at again when the file has been quiet for long.
  "open" BOOLEAN NOT NULL DEFAULT true,
  "counts" JSONB NOT NULL DEFAULT '{}',
  "session_id" UUID,
  -- The session's last_seq when it was last compared: more since then may be a late delivery of what the transcript gave.
  "seen_seq" INTEGER NOT NULL DEFAULT 0,
  -- The import that last looked at it.
  "import_id" UUID,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "transcript_files_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "transcript_files_path_is_sha256" CHECK (octet_length(path_sha256) = 32),
  CONSTRAINT "transcript_files_offsets" CHECK (read_offset >= 0 AND counted_offset >= 0 AND size >= 0)
);
CREATE UNIQUE INDEX "transcript_files_tenant_id_user_id_path_sha256_key" ON "transcript_files"("tenant_id", "user_id", "path_sha256");
CREATE INDEX "transcript_files_session_id_idx" ON "transcript_files"("session_id");

-- What became of a line that is a prompt. A copy of it in another session's transcript is known by its uuid.
CREATE TABLE "transcript_prompts" (
  "tenant_id" UUID NOT NULL,
  "uuid" TEXT NOT NULL,
  "session_id" UUID NOT NULL,
  -- The stored prompt that says it: a hook's, or the transcript's own; null where it was refused.
  "row_id" UUID,
  -- SHA-256 of every text that a hook may give for it.
  "hashes" BYTEA[],
  "occurred_at" TIMESTAMPTZ(6),
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "transcript_prompts_pkey" PRIMARY KEY ("tenant_id", "uuid")
);
CREATE INDEX "transcript_prompts_session_id_idx" ON "transcript_prompts"("session_id");
ALTER TABLE "transcript_prompts" ADD CONSTRAINT "transcript_prompts_session_id_fkey"
  FOREIGN KEY ("session_id") REFERENCES "sessions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

CREATE TABLE "imports" (
  "id" UUID NOT NULL,
  "tenant_id" UUID NOT NULL,
  "user_id" UUID NOT NULL,
  "kind" TEXT NOT NULL,
  "options" JSONB NOT NULL DEFAULT '{}',
  "state" TEXT NOT NULL DEFAULT 'running',
  "counts" JSONB NOT NULL DEFAULT '{}',
  "error" TEXT,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "finished_at" TIMESTAMPTZ(6),
  CONSTRAINT "imports_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "imports_state_check" CHECK (state IN ('running', 'completed', 'failed', 'cancelled'))
);
CREATE INDEX "imports_tenant_id_id_idx" ON "imports"("tenant_id", "id" DESC);

DO $$
DECLARE
  owned text;
BEGIN
  FOREACH owned IN ARRAY ARRAY['transcript_files', 'transcript_prompts', 'imports'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', owned);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', owned);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()))', owned);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO recollect_app, recollect_maintenance', owned);
  END LOOP;
END
$$;
