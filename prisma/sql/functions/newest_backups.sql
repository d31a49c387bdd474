-- Returns the newest complete backup, the newest verified one and the newest with a verified copy, for the metrics. Each is looked for by itself: with backups every hour the last
-- verified one is hundreds of rows behind.
CREATE OR REPLACE FUNCTION newest_backups()
  RETURNS TABLE (kind text, snapshot_at timestamptz, bytes bigint)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  SELECT k.kind, n.snapshot_at, n.bytes
    FROM (VALUES ('complete'), ('verified'), ('copied')) AS k (kind)
   CROSS JOIN LATERAL (
     SELECT b.snapshot_at, b.bytes FROM backups b
      WHERE b.manifest_sha256 IS NOT NULL AND b.removed_at IS NULL
        AND (k.kind <> 'verified' OR b.verified_at IS NOT NULL AND b.verify_error IS NULL)
        AND (k.kind <> 'copied' OR b.copy_verified_at IS NOT NULL)
      ORDER BY b.created_at DESC, b.id DESC LIMIT 1) AS n
$$;
ALTER FUNCTION newest_backups OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION newest_backups FROM PUBLIC;
GRANT EXECUTE ON FUNCTION newest_backups TO recollect_app;
