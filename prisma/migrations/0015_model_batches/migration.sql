-- Batches of a provider: windows of many sessions of one tenant, sent together at a lower price. Which windows they are is fixed before they are sent,
-- so that an attempt that was cut off goes on with the same calls.
CREATE TABLE "model_batches" (
  "id" UUID NOT NULL,
  "tenant_id" UUID NOT NULL,
  "n" INTEGER NOT NULL,
  "state" TEXT NOT NULL DEFAULT 'gathering',
  "provider_batch_id" TEXT,
  "calls" INTEGER NOT NULL DEFAULT 0,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "sent_at" TIMESTAMPTZ(6),
  "ended_at" TIMESTAMPTZ(6),
  CONSTRAINT "model_batches_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "model_batches_state_check" CHECK (state IN ('gathering', 'submitting', 'sent', 'ended'))
);
CREATE UNIQUE INDEX "model_batches_tenant_id_n_key" ON "model_batches"("tenant_id", "n");
-- One at a time gathers. The others that are open are few, and asked for by the sweep.
CREATE UNIQUE INDEX "model_batches_gathering_key" ON "model_batches"("tenant_id") WHERE (state = 'gathering');
CREATE UNIQUE INDEX "model_batches_provider_batch_id_key" ON "model_batches"("provider_batch_id");
CREATE INDEX "model_batches_open_idx" ON "model_batches"("updated_at") WHERE (state <> 'ended');

CREATE TABLE "model_batch_calls" (
  "batch_id" UUID NOT NULL,
  "session_id" UUID NOT NULL,
  "window_n" INTEGER NOT NULL,
  "tenant_id" UUID NOT NULL,
  "user_id" UUID NOT NULL,
  "reservation_id" UUID,
  "forgotten" INTEGER,
  "state" TEXT NOT NULL DEFAULT 'assigned',
  "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "model_batch_calls_pkey" PRIMARY KEY ("batch_id", "session_id", "window_n"),
  CONSTRAINT "model_batch_calls_state_check" CHECK (state IN ('assigned', 'summarised', 'parked', 'again')),
  CONSTRAINT "model_batch_calls_batch_id_fkey" FOREIGN KEY ("batch_id") REFERENCES "model_batches"("id") ON DELETE CASCADE ON UPDATE CASCADE,
  CONSTRAINT "model_batch_calls_session_id_fkey" FOREIGN KEY ("session_id") REFERENCES "sessions"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "model_batch_calls_session_id_idx" ON "model_batch_calls"("session_id");

DO $$
DECLARE
  owned text;
BEGIN
  FOREACH owned IN ARRAY ARRAY['model_batches', 'model_batch_calls'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', owned);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', owned);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()))', owned);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO recollect_app, recollect_maintenance', owned);
  END LOOP;
END
$$;

-- A window in a batch is neither waiting nor done.
ALTER TABLE "windows" DROP CONSTRAINT "windows_state_check";
ALTER TABLE "windows" ADD CONSTRAINT "windows_state_check" CHECK (state IN ('cut', 'batched', 'summarised', 'parked'));

-- Of batches of the provider account, which tenants share, those that none of them has claimed: asked for after an answer was lost.
CREATE FUNCTION unclaimed_model_batches(provider_ids text[])
  RETURNS text[]
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  SELECT coalesce(array_agg(given.id), '{}') FROM unnest(provider_ids) AS given(id)
   WHERE NOT EXISTS (SELECT FROM model_batches b WHERE b.provider_batch_id = given.id)
$$;
GRANT SELECT ON "model_batches" TO recollect_definer;
GRANT CREATE ON SCHEMA public TO recollect_definer;
ALTER FUNCTION unclaimed_model_batches(text[]) OWNER TO recollect_definer;
REVOKE CREATE ON SCHEMA public FROM recollect_definer;
REVOKE EXECUTE ON FUNCTION unclaimed_model_batches(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION unclaimed_model_batches(text[]) TO recollect_app;
