-- Files of archived sessions that lie beside the backup sets, each once for all sets: this instance's own account of them, in no set.
CREATE TABLE "backup_files" (
  -- Of the file in the archive store, by which archives name it.
  "sha256" TEXT NOT NULL,
  -- Name of the key that it is encrypted with; empty: it is not.
  "key_id" TEXT NOT NULL,
  -- Of the bytes beside the sets.
  "stored_sha256" TEXT NOT NULL,
  "copied_at" TIMESTAMPTZ(6),
  -- Since when no archive names it; sets that are older still do.
  "unneeded_at" TIMESTAMPTZ(6),
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),
  CONSTRAINT "backup_files_pkey" PRIMARY KEY ("sha256", "key_id")
);
GRANT SELECT, INSERT, UPDATE, DELETE ON "backup_files" TO recollect_maintenance;
