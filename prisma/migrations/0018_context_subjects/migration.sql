-- What was asked for, as a hash: the same question of the same session is answered with the same bytes, and a file is told of once.
ALTER TABLE "contexts" ADD COLUMN "subject" BYTEA;
-- Which passages of each item were told, by their places ("0 3 4"); empty where an item was told as one line. The rest of it may be told later.
ALTER TABLE "contexts" ADD COLUMN "item_passages" TEXT[] DEFAULT '{}';
-- What a session was given already is not told it again.
CREATE INDEX "contexts_session_id_id_idx" ON "contexts"("session_id", "id" DESC);
