-- Returns the memory ids of the transaction's tenant with these hashes (the last ten digits of an id). SECURITY DEFINER, because `right` is not leakproof: under a policy PostgreSQL
-- would not use the indexes. Access is checked when the memories are read.
CREATE OR REPLACE FUNCTION find_memories_by_hash(hashes text[])
  RETURNS TABLE (memory_id uuid, hash text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  SELECT e.resource_id, right(e.resource_id::text, 10) FROM embeddings e
   WHERE e.tenant_id = (SELECT current_tenant_id()) AND right(e.resource_id::text, 10) = ANY (hashes) AND e.chunk = 0
  UNION
  SELECT l.id, right(l.id::text, 10) FROM learnings l
   WHERE l.tenant_id = (SELECT current_tenant_id()) AND right(l.id::text, 10) = ANY (hashes)
$$;
ALTER FUNCTION find_memories_by_hash OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION find_memories_by_hash FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_memories_by_hash TO recollect_app;
