-- Which index a tenant is searched in, which one is being built beside it, vectors that are kept by the text they were made from, and how many were spared.

-- A chunk that is wanted for an index that is not served yet: no session waits for it, and what was captured just now goes before it.
ALTER TABLE "embeddings" DROP CONSTRAINT "embeddings_state_check";
ALTER TABLE "embeddings" ADD CONSTRAINT "embeddings_state_check" CHECK (state IN ('pending', 'indexed', 'failed', 'removing', 'filling'));
-- Counted up when something changed that a chunk bears: what was read before then does not settle it.
ALTER TABLE "embeddings" ADD COLUMN "revision" INTEGER NOT NULL DEFAULT 0;
-- SHA-256 of what the model read: whose vector in the cache this is. Null until there is one.
ALTER TABLE "embeddings" ADD COLUMN "embedded_hash" BYTEA;
ALTER TABLE "embeddings" ADD CONSTRAINT "embeddings_embedded_hash_is_sha256" CHECK (octet_length(embedded_hash) = 32);
CREATE INDEX "embeddings_filling_idx" ON "embeddings"("tenant_id", "model", "id") WHERE (state = 'filling');
-- Every memory of an index once, in the order in which it was asked for.
CREATE INDEX "embeddings_memories_idx" ON "embeddings"("tenant_id", "model", "id") WHERE (chunk = 0);
CREATE INDEX "embeddings_embedded_hash_idx" ON "embeddings"("tenant_id", "embedded_hash") WHERE (embedded_hash IS NOT NULL);

CREATE TABLE "embedding_indexes" (
  "tenant_id" UUID NOT NULL,
  "serving_model" TEXT NOT NULL,
  "serving_dimension" INTEGER NOT NULL,
  -- The index that is being built; null where none is.
  "target_model" TEXT,
  "wanted_dimension" INTEGER,
  "started_at" TIMESTAMPTZ(6),
  -- Up to which row of the served ledger memories were asked for anew; how many, and of how many.
  "fill_after" UUID,
  "fill_count" INTEGER NOT NULL DEFAULT 0,
  "fill_total" INTEGER NOT NULL DEFAULT 0,
  "filled_at" TIMESTAMPTZ(6),
  -- Why the index that is built does not get on, and when it is tried again.
  "error" TEXT,
  "retry_at" TIMESTAMPTZ(6),
  -- The index that was served before, or given up; taken away at that time.
  "retired_model" TEXT,
  "retire_at" TIMESTAMPTZ(6),
  "switched_at" TIMESTAMPTZ(6),
  -- What the served index took before that time is written again; up to which row of its ledger that came.
  "rewrite_before" TIMESTAMPTZ(6),
  "rewrite_after" UUID,
  CONSTRAINT "embedding_indexes_pkey" PRIMARY KEY ("tenant_id"),
  CONSTRAINT "embedding_indexes_wanted_check" CHECK ((target_model IS NULL) = (wanted_dimension IS NULL) AND target_model <> serving_model AND target_model <> retired_model),
  CONSTRAINT "embedding_indexes_retired_check" CHECK ((retired_model IS NULL) = (retire_at IS NULL) AND retired_model <> serving_model)
);

CREATE TABLE "embedding_cache" (
  "tenant_id" UUID NOT NULL,
  -- Name of the embedding model alone: another way to cut texts changes no vector of a text.
  "model" TEXT NOT NULL,
  "content_hash" BYTEA NOT NULL,
  -- Floats of 16 bits, least significant byte first.
  "vector" BYTEA NOT NULL,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "embedding_cache_pkey" PRIMARY KEY ("tenant_id", "model", "content_hash"),
  CONSTRAINT "embedding_cache_content_hash_is_sha256" CHECK (octet_length(content_hash) = 32)
);
CREATE INDEX "embedding_cache_tenant_id_created_at_idx" ON "embedding_cache"("tenant_id", "created_at");

CREATE TABLE "embedding_counts" (
  "tenant_id" UUID NOT NULL,
  "model" TEXT NOT NULL,
  -- Texts that the model read, texts whose vector was kept, runs of the model, and how long they took.
  "texts" BIGINT NOT NULL DEFAULT 0,
  "cache_hits" BIGINT NOT NULL DEFAULT 0,
  "batches" BIGINT NOT NULL DEFAULT 0,
  "seconds" DOUBLE PRECISION NOT NULL DEFAULT 0,
  CONSTRAINT "embedding_counts_pkey" PRIMARY KEY ("tenant_id", "model")
);

DO $$
DECLARE
  owned text;
BEGIN
  FOREACH owned IN ARRAY ARRAY['embedding_indexes', 'embedding_cache', 'embedding_counts'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', owned);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', owned);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()))', owned);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO recollect_app, recollect_maintenance', owned);
  END LOOP;
END
$$;

-- As in 0007_capture, and what is under way is written once more. Owner and grants stay.
CREATE OR REPLACE FUNCTION move_sessions(moves jsonb) RETURNS void
  LANGUAGE plpgsql
  AS $$
BEGIN
  UPDATE sessions s SET project_id = m.project_id FROM jsonb_to_recordset(moves) AS m(id uuid, project_id uuid) WHERE s.id = m.id;
  UPDATE summaries s SET project_id = m.project_id FROM jsonb_to_recordset(moves) AS m(id uuid, project_id uuid) WHERE s.session_id = m.id;
  UPDATE learnings l SET project_id = m.project_id FROM jsonb_to_recordset(moves) AS m(id uuid, project_id uuid) WHERE l.session_id = m.id;
  -- The vectors know the project, too: they are written again.
  UPDATE embeddings v SET state = CASE v.state WHEN 'indexed' THEN 'pending' ELSE v.state END, revision = v.revision + 1
    FROM jsonb_to_recordset(moves) AS m(id uuid) WHERE v.session_id = m.id AND v.state IN ('indexed', 'pending', 'filling');
END
$$;

-- Whoever has vectors is served by the model that made the last of them. Policies bind the owner, too, so they are lifted for this one statement.
ALTER TABLE "embeddings" NO FORCE ROW LEVEL SECURITY;
ALTER TABLE "embedding_indexes" NO FORCE ROW LEVEL SECURITY;
INSERT INTO "embedding_indexes" (tenant_id, serving_model, serving_dimension)
SELECT DISTINCT ON (tenant_id) tenant_id, model, dimension FROM "embeddings" ORDER BY tenant_id, id DESC;
ALTER TABLE "embeddings" FORCE ROW LEVEL SECURITY;
ALTER TABLE "embedding_indexes" FORCE ROW LEVEL SECURITY;

-- What the instance embedded since it was made, for the metrics: sums over all tenants, and nothing else of the rows.
CREATE FUNCTION embedding_totals()
  RETURNS TABLE (model text, texts bigint, cache_hits bigint, batches bigint, seconds double precision)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  SELECT c.model, sum(c.texts)::bigint, sum(c.cache_hits)::bigint, sum(c.batches)::bigint, sum(c.seconds) FROM embedding_counts c GROUP BY 1
$$;
GRANT SELECT ON "embedding_counts" TO recollect_definer;
GRANT CREATE ON SCHEMA public TO recollect_definer;
ALTER FUNCTION embedding_totals() OWNER TO recollect_definer;
REVOKE CREATE ON SCHEMA public FROM recollect_definer;
REVOKE EXECUTE ON FUNCTION embedding_totals() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION embedding_totals() TO recollect_app;
