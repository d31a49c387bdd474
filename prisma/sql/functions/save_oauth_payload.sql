-- Stores a row of the authorization server, or replaces its payload and its end. A consumed row stays consumed.
CREATE OR REPLACE FUNCTION save_oauth_payload(model text, id_sha256 bytea, grant_id uuid, payload jsonb, expires_at timestamptz)
  RETURNS void
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    INSERT INTO oauth_payloads (model, id_sha256, grant_id, payload, expires_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT ON CONSTRAINT oauth_payloads_pkey DO UPDATE SET payload = excluded.payload, expires_at = excluded.expires_at
  $$;
ALTER FUNCTION save_oauth_payload OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION save_oauth_payload FROM PUBLIC;
GRANT EXECUTE ON FUNCTION save_oauth_payload TO recollect_app;
