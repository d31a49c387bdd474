-- Backup sets of this instance, as its own account of them. What a set is worth, its manifest says: this table is no part of a set.
CREATE TABLE "backups" (
  "id" UUID NOT NULL,
  -- running, done, failed, cancelled.
  "state" TEXT NOT NULL DEFAULT 'running',
  -- A user's id; null where the schedule asked. No foreign key: the row outlives the user.
  "requested_by" UUID,
  "workflow_id" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),
  -- When an attempt last began to write.
  "begun_at" TIMESTAMPTZ(6),
  "finished_at" TIMESTAMPTZ(6),
  "snapshot_at" TIMESTAMPTZ(6),
  "files" INTEGER NOT NULL DEFAULT 0,
  "rows" BIGINT NOT NULL DEFAULT 0,
  "vectors" BIGINT NOT NULL DEFAULT 0,
  "bytes" BIGINT NOT NULL DEFAULT 0,
  "plain_bytes" BIGINT NOT NULL DEFAULT 0,
  -- Name of the key that it is encrypted with; null: it is not.
  "key_id" TEXT,
  -- Of manifest.json as stored. Null: there is no set.
  "manifest_sha256" BYTEA,
  "verified_at" TIMESTAMPTZ(6),
  -- read: every file was read back; drill: it was restored beside the running instance.
  "verified_how" TEXT,
  "verify_error" TEXT,
  "copied_at" TIMESTAMPTZ(6),
  "copy_verified_at" TIMESTAMPTZ(6),
  -- Its files were taken away: too old, or its set was not finished.
  "removed_at" TIMESTAMPTZ(6),
  -- Type of the failure, from the closed list of the activities.
  "error" TEXT,
  CONSTRAINT "backups_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "backups_state_check" CHECK (state IN ('running', 'completed', 'failed', 'cancelled')),
  CONSTRAINT "backups_verified_how_check" CHECK (verified_how IN ('read', 'drill')),
  CONSTRAINT "backups_manifest_sha256_check" CHECK (octet_length(manifest_sha256) = 32)
);
CREATE INDEX "backups_created_at_id_idx" ON "backups"("created_at" DESC, "id" DESC);

-- The instance's, not a tenant's: the application's role reads it through the functions below, for operators.
GRANT SELECT, INSERT, UPDATE, DELETE ON "backups" TO recollect_maintenance;

-- What a set needs to know of the schema. A database that migrations are only compared with has no such table.
DO $$
BEGIN
  IF to_regclass('public._prisma_migrations') IS NOT NULL THEN
    GRANT SELECT (migration_name, started_at, finished_at, rolled_back_at) ON "_prisma_migrations" TO recollect_maintenance;
  END IF;
END
$$;

-- The queries that a set is proved by are asked as the maintenance role.
GRANT EXECUTE ON FUNCTION search_keyword(uuid, uuid, text, text[], uuid, uuid, uuid, text, text, text, text[], timestamptz, timestamptz, timestamptz, text[], text[], integer)
  TO recollect_maintenance;

-- One backup, or a page of them, the newest first; `before` is the last one of the page before.
CREATE FUNCTION show_backups(one uuid, before uuid, at_most integer) RETURNS SETOF backups
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  SELECT b.* FROM backups b
   WHERE (one IS NULL OR b.id = one) AND (before IS NULL OR (b.created_at, b.id) < (SELECT l.created_at, l.id FROM backups l WHERE l.id = before))
   ORDER BY b.created_at DESC, b.id DESC LIMIT at_most
$$;

-- Notes that somebody wants a backup; while one is under way, that one is answered.
CREATE FUNCTION request_backup(new_id uuid, by_user uuid) RETURNS SETOF backups
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('recollect.request_backup'));
  IF NOT EXISTS (SELECT FROM backups b WHERE b.state = 'running') THEN
    INSERT INTO backups (id, requested_by, workflow_id) VALUES (new_id, by_user, 'job/backup/' || new_id);
  END IF;
  RETURN QUERY SELECT b.* FROM backups b WHERE b.state = 'running' ORDER BY b.created_at, b.id LIMIT 1;
END
$$;

GRANT SELECT, INSERT ON "backups" TO recollect_definer;
GRANT CREATE ON SCHEMA public TO recollect_definer;
DO $$
DECLARE
  ours regprocedure;
BEGIN
  FOR ours IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname IN ('show_backups', 'request_backup') LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO recollect_definer', ours);
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', ours);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO recollect_app', ours);
  END LOOP;
END
$$;
REVOKE CREATE ON SCHEMA public FROM recollect_definer;
