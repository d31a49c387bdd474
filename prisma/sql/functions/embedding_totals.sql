-- Returns the embedding counters since the instance was created, for the metrics of all tenants.
CREATE OR REPLACE FUNCTION embedding_totals()
  RETURNS TABLE (model text, texts bigint, cache_hits bigint, batches bigint, seconds double precision)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  SELECT c.model, sum(c.texts)::bigint, sum(c.cache_hits)::bigint, sum(c.batches)::bigint, sum(c.seconds) FROM embedding_counts c GROUP BY 1
$$;
ALTER FUNCTION embedding_totals OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION embedding_totals FROM PUBLIC;
GRANT EXECUTE ON FUNCTION embedding_totals TO recollect_app;
