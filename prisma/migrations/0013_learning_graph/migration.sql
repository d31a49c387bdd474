-- Versions of knowledge. A learning that was refined, contradicted or corrected is closed, and stays readable as of the time when it was believed:
-- `valid_from` and `valid_to` are the times at which this server believed it, `occurred_at` is when its newest evidence happened.
ALTER TABLE "learnings" ADD COLUMN "version" INTEGER NOT NULL DEFAULT 1,
  ADD COLUMN "previous_id" UUID,
  ADD COLUMN "use_weight" REAL NOT NULL DEFAULT 0,
  ADD COLUMN "decayed_on" DATE,
  ADD COLUMN "occurred_at" TIMESTAMPTZ(6),
  ADD COLUMN "last_shown_at" TIMESTAMPTZ(6),
  -- The person who closed it; null where rules or a model did. What a person closed is not learned again from the same words.
  ADD COLUMN "closed_by" UUID,
  -- The verified learning that this one speaks against: no machine closes what a person verified.
  ADD COLUMN "disputes" UUID;
ALTER TABLE "learnings" ADD CONSTRAINT "learnings_version_check" CHECK (version >= 1);
ALTER TABLE "learnings" ADD CONSTRAINT "learnings_use_weight_check" CHECK (use_weight >= 0);

-- Only what stands must be unique: closed versions keep their fingerprints, by which the same words are known when they come again.
DROP INDEX "learnings_tenant_id_fingerprint_key";
CREATE UNIQUE INDEX "learnings_tenant_id_fingerprint_key" ON "learnings"("tenant_id", "fingerprint") WHERE (valid_to IS NULL);
CREATE INDEX "learnings_tenant_id_fingerprint_idx" ON "learnings"("tenant_id", "fingerprint");
CREATE INDEX "learnings_superseded_by_idx" ON "learnings"("superseded_by");
CREATE INDEX "learnings_previous_id_idx" ON "learnings"("previous_id");
CREATE INDEX "learnings_current_idx" ON "learnings"("tenant_id", "project_id", "namespace", "id" DESC) WHERE (valid_to IS NULL);

-- The graph. Weights are computed from the evidence rows, so that writing a session's part again changes nothing.
CREATE TABLE "entities" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "project_id" UUID,
    "namespace" TEXT NOT NULL DEFAULT 'default',
    "type" TEXT NOT NULL,
    -- Case-folded; of files the path below the project's root.
    "name" TEXT NOT NULL,
    -- As it was first written.
    "label" TEXT NOT NULL,
    "weight" REAL NOT NULL DEFAULT 0,
    "first_seen" TIMESTAMPTZ(6) NOT NULL,
    "last_seen" TIMESTAMPTZ(6) NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),

    CONSTRAINT "entities_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "entities_type_check" CHECK (type IN ('concept', 'tool', 'error', 'solution', 'project', 'file'))
);
CREATE TABLE "entity_mentions" (
    "entity_id" UUID NOT NULL,
    "session_id" UUID NOT NULL,
    -- Id of the row, summary or learning that names it.
    "source_id" UUID NOT NULL,
    "source_type" TEXT NOT NULL,
    "tenant_id" UUID NOT NULL,
    "quote" TEXT,
    "occurred_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "entity_mentions_pkey" PRIMARY KEY ("entity_id", "session_id", "source_id"),
    CONSTRAINT "entity_mentions_source_type_check" CHECK (source_type IN ('prompt', 'observation', 'summary', 'learning'))
);
CREATE TABLE "relations" (
    "id" UUID NOT NULL,
    "tenant_id" UUID NOT NULL,
    "from_id" UUID NOT NULL,
    "to_id" UUID NOT NULL,
    "type" TEXT NOT NULL,
    "weight" REAL NOT NULL DEFAULT 0,
    "first_seen" TIMESTAMPTZ(6) NOT NULL,
    "last_seen" TIMESTAMPTZ(6) NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),

    CONSTRAINT "relations_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "relations_type_check" CHECK (type IN ('uses', 'solves', 'causes', 'related_to', 'part_of'))
);
CREATE TABLE "relation_evidence" (
    "relation_id" UUID NOT NULL,
    "session_id" UUID NOT NULL,
    "source_id" UUID NOT NULL,
    "source_type" TEXT NOT NULL,
    "tenant_id" UUID NOT NULL,
    "quote" TEXT,
    "occurred_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "relation_evidence_pkey" PRIMARY KEY ("relation_id", "session_id", "source_id"),
    CONSTRAINT "relation_evidence_source_type_check" CHECK (source_type IN ('prompt', 'observation', 'summary', 'learning'))
);
-- The names that a project is known by, frozen for a day: the prefix of the model's prompts must be the same, byte by byte, in all its windows.
CREATE TABLE "project_glossaries" (
    "project_id" UUID NOT NULL,
    "namespace" TEXT NOT NULL DEFAULT 'default',
    "day" DATE NOT NULL,
    "tenant_id" UUID NOT NULL,
    "names" TEXT[],
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),

    CONSTRAINT "project_glossaries_pkey" PRIMARY KEY ("project_id", "namespace", "day")
);

CREATE UNIQUE INDEX "entities_name_key" ON "entities"("tenant_id", "project_id", "namespace", "type", "name") NULLS NOT DISTINCT;
CREATE INDEX "entities_project_id_weight_idx" ON "entities"("project_id", "weight" DESC);
CREATE INDEX "entities_tenant_id_weight_idx" ON "entities"("tenant_id", "weight" DESC);
CREATE INDEX "entity_mentions_session_id_idx" ON "entity_mentions"("session_id");
CREATE INDEX "entity_mentions_newest_idx" ON "entity_mentions"("entity_id", "occurred_at" DESC, "source_id");
CREATE UNIQUE INDEX "relations_ends_key" ON "relations"("from_id", "to_id", "type");
CREATE INDEX "relations_from_id_weight_id_idx" ON "relations"("from_id", "weight" DESC, "id");
CREATE INDEX "relations_to_id_weight_id_idx" ON "relations"("to_id", "weight" DESC, "id");
CREATE INDEX "relation_evidence_session_id_idx" ON "relation_evidence"("session_id");
CREATE INDEX "relation_evidence_newest_idx" ON "relation_evidence"("relation_id", "occurred_at" DESC, "source_id");

ALTER TABLE "entities" ADD CONSTRAINT "entities_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "entity_mentions" ADD CONSTRAINT "entity_mentions_entity_id_fkey" FOREIGN KEY ("entity_id") REFERENCES "entities"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "relations" ADD CONSTRAINT "relations_from_id_fkey" FOREIGN KEY ("from_id") REFERENCES "entities"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "relations" ADD CONSTRAINT "relations_to_id_fkey" FOREIGN KEY ("to_id") REFERENCES "entities"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "relation_evidence" ADD CONSTRAINT "relation_evidence_relation_id_fkey" FOREIGN KEY ("relation_id") REFERENCES "relations"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "project_glossaries" ADD CONSTRAINT "project_glossaries_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id") ON DELETE CASCADE ON UPDATE CASCADE;

DO $$
DECLARE
  owned text;
BEGIN
  FOREACH owned IN ARRAY ARRAY['entities', 'entity_mentions', 'relations', 'relation_evidence', 'project_glossaries'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', owned);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', owned);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()))', owned);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO recollect_app, recollect_maintenance', owned);
  END LOOP;
END
$$;
