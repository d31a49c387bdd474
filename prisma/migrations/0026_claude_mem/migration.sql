-- What an imported summary has beside the columns that every summary has: a subtitle, hashes, agents, what its maker noted.
ALTER TABLE "summaries" ADD COLUMN "metadata" JSONB;

-- Which rows of another memory's database were taken in: the natural key of each, so that none comes twice, and none comes back that was forgotten,
-- changed or expired here meanwhile. Holds no content.
CREATE TABLE "imported_rows" (
    "tenant_id" UUID NOT NULL,
    "source" TEXT NOT NULL,
    "source_table" TEXT NOT NULL,
    "source_id" BIGINT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),

    CONSTRAINT "imported_rows_pkey" PRIMARY KEY ("tenant_id", "source", "source_table", "source_id")
);
ALTER TABLE "imported_rows" ENABLE ROW LEVEL SECURITY;
ALTER TABLE "imported_rows" FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON "imported_rows" USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()));
GRANT SELECT, INSERT, UPDATE, DELETE ON "imported_rows" TO recollect_app, recollect_maintenance;
