-- The short name of a memory is made of the last 40 bits of its id. The ledger knows every memory that can be found by search; of learnings, closed versions
-- are found by their old name, too, when their chunks are struck from the ledger.
CREATE INDEX "embeddings_hash_idx" ON "embeddings"("tenant_id", right(resource_id::text, 10)) WHERE (chunk = 0);
-- Without the tenant, so that it is taken for nothing but this: 40 random bits are few rows in all tenants.
CREATE INDEX "learnings_hash_idx" ON "learnings"(right(id::text, 10));

-- A timeline reads on from a moment, in its order: what was said or summed up of a project, and what was said of none.
CREATE INDEX "learnings_line_idx" ON "learnings"("tenant_id", "project_id", "namespace", "valid_from", "id") WHERE (valid_to IS NULL);
CREATE INDEX "summaries_line_idx" ON "summaries"("project_id", "occurred_at", "to_seq", "id");

-- Ids of the transaction's tenant that end in these digits. SECURITY DEFINER, because `right` is not leakproof: under a policy PostgreSQL would not use the
-- indexes for it. Who may see the memories is for their reader to say.
CREATE FUNCTION memories_ending_in(ends text[])
  RETURNS TABLE (memory_id uuid, ending text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  SELECT e.resource_id, right(e.resource_id::text, 10) FROM embeddings e
   WHERE e.tenant_id = (SELECT current_tenant_id()) AND right(e.resource_id::text, 10) = ANY (ends) AND e.chunk = 0
  UNION
  SELECT l.id, right(l.id::text, 10) FROM learnings l
   WHERE l.tenant_id = (SELECT current_tenant_id()) AND right(l.id::text, 10) = ANY (ends)
$$;

GRANT CREATE ON SCHEMA public TO recollect_definer;
ALTER FUNCTION memories_ending_in(text[]) OWNER TO recollect_definer;
REVOKE CREATE ON SCHEMA public FROM recollect_definer;
REVOKE EXECUTE ON FUNCTION memories_ending_in(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION memories_ending_in(text[]) TO recollect_app;
