-- What was forgotten must leave the vector index, too: a chunk in this state is removed there first, then its row here.
ALTER TABLE "embeddings" DROP CONSTRAINT "embeddings_state_check";
ALTER TABLE "embeddings" ADD CONSTRAINT "embeddings_state_check" CHECK (state IN ('pending', 'indexed', 'failed', 'removing'));

-- Both are empty nearly always, so that they cost nothing, and are asked for by every look at what is stuck and at every batch of vectors.
CREATE INDEX "embeddings_failed_idx" ON "embeddings"("session_id") WHERE (state = 'failed');
CREATE INDEX "embeddings_removing_idx" ON "embeddings"("tenant_id", "id") WHERE (state = 'removing');

-- A session whose workflow was told to end: it goes on with the next capture, or when somebody says so.
ALTER TABLE "sessions" DROP CONSTRAINT "sessions_phase_check";
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_phase_check" CHECK (phase IN ('active', 'summarising', 'closing', 'settled', 'cancelled'));
