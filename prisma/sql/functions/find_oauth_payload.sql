-- Returns a row of the authorization server that has not expired. With its grant, codes and tokens end.
CREATE OR REPLACE FUNCTION find_oauth_payload(model text, id_sha256 bytea)
  RETURNS TABLE (payload jsonb, consumed_ms integer)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    SELECT p.payload, (1000 * extract(epoch FROM clock_timestamp() - p.consumed_at))::integer
      FROM oauth_payloads p LEFT JOIN oauth_grants g ON g.id = p.grant_id
     WHERE p.model = $1 AND p.id_sha256 = $2 AND p.expires_at > now() AND g.ended_at IS NULL
  $$;
ALTER FUNCTION find_oauth_payload OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION find_oauth_payload FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_oauth_payload TO recollect_app;
