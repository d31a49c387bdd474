-- Marks a code or a refresh token as used. Returns false if another request did so first.
CREATE OR REPLACE FUNCTION consume_oauth_payload(model text, id_sha256 bytea)
  RETURNS boolean
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    WITH used AS (
      UPDATE oauth_payloads p SET consumed_at = clock_timestamp() WHERE p.model = $1 AND p.id_sha256 = $2 AND p.consumed_at IS NULL RETURNING 1)
    SELECT EXISTS (SELECT FROM used)
  $$;
ALTER FUNCTION consume_oauth_payload OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION consume_oauth_payload FROM PUBLIC;
GRANT EXECUTE ON FUNCTION consume_oauth_payload TO recollect_app;
