-- Stores a started log-in, for `ttl_s` seconds. The sweep of every minute deletes expired ones.
CREATE OR REPLACE FUNCTION start_auth_challenge(challenge_sha256 bytea, kind text, data jsonb, ttl_s integer) RETURNS void
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    INSERT INTO auth_challenges (challenge_sha256, kind, data, expires_at) VALUES ($1, $2, $3, now() + $4 * interval '1 second')
  $$;
ALTER FUNCTION start_auth_challenge OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION start_auth_challenge FROM PUBLIC;
GRANT EXECUTE ON FUNCTION start_auth_challenge TO recollect_app;
