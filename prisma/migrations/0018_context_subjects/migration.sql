-- What was asked for, as a hash: the same question of the same session is answered with the same bytes, and a file is told of once.
ALTER TABLE "contexts" ADD COLUMN "subject" BYTEA;
-- What a session was given already is not told it again.
CREATE INDEX "contexts_session_id_id_idx" ON "contexts"("session_id", "id" DESC);
