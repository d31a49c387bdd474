-- Ends a row of the authorization server and empties it; the daily retention run deletes it.
CREATE OR REPLACE FUNCTION expire_oauth_payload(model text, id_sha256 bytea)
  RETURNS void
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    UPDATE oauth_payloads p SET payload = '{}', expires_at = least(p.expires_at, now()) WHERE p.model = $1 AND p.id_sha256 = $2
  $$;
ALTER FUNCTION expire_oauth_payload OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION expire_oauth_payload FROM PUBLIC;
GRANT EXECUTE ON FUNCTION expire_oauth_payload TO recollect_app;
