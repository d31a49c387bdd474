-- Returns the batches of the provider account, which tenants share, that no tenant has claimed: read after a response was lost.
CREATE OR REPLACE FUNCTION unclaimed_model_batches(provider_ids text[])
  RETURNS text[]
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  SELECT coalesce(array_agg(given.id), '{}') FROM unnest(provider_ids) AS given(id)
   WHERE NOT EXISTS (SELECT FROM model_batches b WHERE b.provider_batch_id = given.id)
$$;
ALTER FUNCTION unclaimed_model_batches OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION unclaimed_model_batches FROM PUBLIC;
GRANT EXECUTE ON FUNCTION unclaimed_model_batches TO recollect_app;
