-- Ends a started log-in and returns its data, once: of several requests with one challenge one gets them. A request that waited for another one compares the new
-- end with the time at which its own transaction began, which may be earlier: the end is before all times. The definer deletes no rows.
CREATE OR REPLACE FUNCTION take_auth_challenge(challenge_sha256 bytea, kind text) RETURNS jsonb
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    UPDATE auth_challenges c SET expires_at = '-infinity' WHERE c.challenge_sha256 = $1 AND c.kind = $2 AND c.expires_at > now() RETURNING c.data
  $$;
ALTER FUNCTION take_auth_challenge OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION take_auth_challenge FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take_auth_challenge TO recollect_app;
