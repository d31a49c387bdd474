-- Returns the session of a refresh token by its SHA-256; null for an unknown one. The tenant is not known before.
CREATE OR REPLACE FUNCTION find_refresh_session(token bytea)
  RETURNS uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    SELECT r.session_id FROM refresh_tokens r WHERE r.token_sha256 = $1
  $$;
ALTER FUNCTION find_refresh_session OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION find_refresh_session FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_refresh_session TO recollect_app;
