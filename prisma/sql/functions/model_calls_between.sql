-- Returns the sums of the instance's calls between two ids of the ledger, for the metrics of all tenants: sums only.
CREATE OR REPLACE FUNCTION model_calls_between(after_id uuid, up_to_id uuid)
  RETURNS TABLE (provider text, model text, operation text, batch boolean, cache_hit boolean, calls bigint, input_tokens bigint, output_tokens bigint,
                 tokens_cached bigint, usd numeric, seconds numeric)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  SELECT l.provider, l.model, l.operation, l.batch, l.cache_hit, count(*), sum(l.input_tokens), sum(l.output_tokens), sum(l.tokens_cached), sum(l.cost_usd),
         sum(l.latency_ms) / 1000.0
    FROM usage_ledger l WHERE l.id > after_id AND l.id <= up_to_id GROUP BY 1, 2, 3, 4, 5
$$;
ALTER FUNCTION model_calls_between OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION model_calls_between FROM PUBLIC;
GRANT EXECUTE ON FUNCTION model_calls_between TO recollect_app;
