-- Searches archived sessions by their index entry, the best first, without restricted sessions and users. `@@` is not leakproof: under a policy
-- PostgreSQL would not use the index.
CREATE OR REPLACE FUNCTION search_archives(for_tenant uuid, query_text text, at_most integer, to_skip integer)
  RETURNS TABLE (id uuid, rank real, total bigint)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  SELECT a.id, ts_rank(a.search, websearch_to_tsquery('english', query_text)) AS rank, count(*) OVER () AS total FROM archives a
   WHERE a.tenant_id = for_tenant AND a.search @@ websearch_to_tsquery('english', query_text)
     AND a.session_id <> ALL (ARRAY(SELECT s.id FROM sessions s WHERE s.tenant_id = for_tenant AND s.restricted_until > now()))
     AND a.user_id <> ALL (ARRAY(SELECT u.id FROM users u WHERE u.tenant_id = for_tenant AND u.restricted_until > now()))
   ORDER BY rank DESC, a.id DESC LIMIT at_most OFFSET to_skip
$$;
ALTER FUNCTION search_archives OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION search_archives FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_archives TO recollect_app;
