-- Adds a key of access tokens unless there is one of the last `days` days that is newer than `replaced`: a key that the key ring does not open, or null. One process
-- adds it; the others wait and find it.
CREATE OR REPLACE FUNCTION add_signing_key(new_id uuid, new_public_key bytea, new_sealed_private_key bytea, days integer, replaced uuid)
  RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('signing_keys', 0));
  IF NOT EXISTS (SELECT FROM signing_keys k WHERE k.created_at > now() - make_interval(days => days)
                  AND (replaced IS NULL OR k.created_at > (SELECT r.created_at FROM signing_keys r WHERE r.id = replaced))) THEN
    INSERT INTO signing_keys (id, public_key, sealed_private_key) VALUES (new_id, new_public_key, new_sealed_private_key);
  END IF;
END
$$;
ALTER FUNCTION add_signing_key OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION add_signing_key FROM PUBLIC;
GRANT EXECUTE ON FUNCTION add_signing_key TO recollect_app;
