-- Returns the ids of the transaction's tenant that end in these digits. SECURITY DEFINER, because `right` is not leakproof: under a policy PostgreSQL
-- would not use the indexes. The reader of the memories decides who may see them.
CREATE OR REPLACE FUNCTION memories_ending_in(ends text[])
  RETURNS TABLE (memory_id uuid, ending text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  SELECT e.resource_id, right(e.resource_id::text, 10) FROM embeddings e
   WHERE e.tenant_id = (SELECT current_tenant_id()) AND right(e.resource_id::text, 10) = ANY (ends) AND e.chunk = 0
  UNION
  SELECT l.id, right(l.id::text, 10) FROM learnings l
   WHERE l.tenant_id = (SELECT current_tenant_id()) AND right(l.id::text, 10) = ANY (ends)
$$;
ALTER FUNCTION memories_ending_in OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION memories_ending_in FROM PUBLIC;
GRANT EXECUTE ON FUNCTION memories_ending_in TO recollect_app;
