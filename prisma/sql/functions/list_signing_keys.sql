-- Returns the keys of access tokens, newest first. A key is older than every token that it signed: those of the last `days` days suffice.
CREATE OR REPLACE FUNCTION list_signing_keys(days integer)
  RETURNS TABLE (id uuid, public_key bytea, sealed_private_key bytea, created_at timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    SELECT k.id, k.public_key, k.sealed_private_key, k.created_at FROM signing_keys k
     WHERE k.created_at > now() - make_interval(days => $1) ORDER BY k.created_at DESC, k.id DESC LIMIT 100
  $$;
ALTER FUNCTION list_signing_keys OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION list_signing_keys FROM PUBLIC;
GRANT EXECUTE ON FUNCTION list_signing_keys TO recollect_app;
