-- The journal of erasures as this instance writes it: signed entries in a chain, which lie beside the backup sets, too. In no set and in no tenant's rows: it goes on with
-- whichever database is the running one, also when its tenant is erased.
CREATE TABLE "erasure_journal" (
  -- From 1, without gaps, each row naming the hash of the one before.
  "sequence" INTEGER NOT NULL,
  -- One for the whole table: which instance's journal it is.
  "journal_id" UUID NOT NULL,
  -- Null of the entry that opens the journal.
  "erasure_id" UUID,
  -- The object as it is stored: the entry's text with who signed it.
  "object" TEXT NOT NULL,
  -- Of the entry's text: the next entry names it.
  "entry_sha256" TEXT NOT NULL,
  -- When it lay in every store; null until then.
  "stored_at" TIMESTAMPTZ(6),
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT now(),
  CONSTRAINT "erasure_journal_pkey" PRIMARY KEY ("sequence"),
  CONSTRAINT "erasure_journal_sequence_check" CHECK (sequence > 0),
  CONSTRAINT "erasure_journal_entry_sha256_check" CHECK (entry_sha256 ~ '^[0-9a-f]{64}$')
);
CREATE INDEX "erasure_journal_erasure_id_idx" ON "erasure_journal"("erasure_id");
GRANT SELECT, INSERT, UPDATE, DELETE ON "erasure_journal" TO recollect_maintenance;

-- The api asks for sets of the stores that the settings name, signed by those whom they trust. Another place or another signer is named on the machine itself.
CREATE POLICY named_stores ON "restores" AS RESTRICTIVE FOR INSERT TO recollect_app
  WITH CHECK (signer IS NULL AND (address IS NULL OR address = 'copy'));
