-- Returns the backup `only_id`, or a page of backups, newest first; `before` is the last one of the previous page. The application role has no grant on the table.
CREATE OR REPLACE FUNCTION list_backups(only_id uuid, before uuid, at_most integer) RETURNS SETOF backups
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  SELECT b.* FROM backups b
   WHERE (only_id IS NULL OR b.id = only_id) AND (before IS NULL OR (b.created_at, b.id) < (SELECT l.created_at, l.id FROM backups l WHERE l.id = before))
   ORDER BY b.created_at DESC, b.id DESC LIMIT at_most
$$;
ALTER FUNCTION list_backups OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION list_backups FROM PUBLIC;
GRANT EXECUTE ON FUNCTION list_backups TO recollect_app;
