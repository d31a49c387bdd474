-- What calls of the model may cost, what they did cost, and answers that were paid for already.

-- A quota of a user's own, or null for the instance's setting. Policies bind the owner, too, so they are lifted for this one statement.
ALTER TABLE "users" ALTER COLUMN "daily_token_quota" DROP NOT NULL;
ALTER TABLE "users" ALTER COLUMN "daily_token_quota" DROP DEFAULT;
ALTER TABLE "users" NO FORCE ROW LEVEL SECURITY;
UPDATE "users" SET daily_token_quota = NULL WHERE daily_token_quota = 1000000;
ALTER TABLE "users" FORCE ROW LEVEL SECURITY;
ALTER TABLE "users" ADD CONSTRAINT "users_daily_token_quota_check" CHECK (daily_token_quota >= 0);

ALTER TABLE "usage_ledger" ADD COLUMN "tokens_cache_written" INTEGER NOT NULL DEFAULT 0;
CREATE INDEX "usage_ledger_tenant_id_user_id_created_at_idx" ON "usage_ledger"("tenant_id", "user_id", "created_at");

-- Claims that the model made and that no row says.
ALTER TABLE "summaries" ADD COLUMN "claims_dropped" INTEGER NOT NULL DEFAULT 0;

-- Tokens of calls that are on their way. A row counts until it expires: what a worker held that was killed comes free by itself.
CREATE TABLE "usage_reservations" (
  "id" UUID NOT NULL,
  "tenant_id" UUID NOT NULL,
  "user_id" UUID NOT NULL,
  "tokens" INTEGER NOT NULL,
  -- A call of a provider batch takes no place among those that are made at once.
  "batch" BOOLEAN NOT NULL DEFAULT false,
  "expires_at" TIMESTAMPTZ(6) NOT NULL,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "usage_reservations_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "usage_reservations_tokens_check" CHECK (tokens >= 0)
);
CREATE INDEX "usage_reservations_user_id_expires_at_idx" ON "usage_reservations"("user_id", "expires_at");
CREATE INDEX "usage_reservations_live_idx" ON "usage_reservations"("expires_at") WHERE (NOT batch);
ALTER TABLE "usage_reservations" ADD CONSTRAINT "usage_reservations_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

CREATE TABLE "model_response_cache" (
  "id" UUID NOT NULL,
  "tenant_id" UUID NOT NULL,
  -- Whose rows it was made from: what is forgotten of them takes the answer with it.
  "session_id" UUID NOT NULL,
  "prompt_version" TEXT NOT NULL,
  "question_sha256" BYTEA NOT NULL,
  "answer" TEXT NOT NULL,
  "provider" TEXT NOT NULL,
  "model" TEXT NOT NULL,
  -- What a hit saves.
  "tokens" INTEGER NOT NULL,
  -- MinHash of the question, 128 numbers of 32 bits, least significant byte first. Null where only the same question may take the answer.
  "signature" BYTEA,
  -- Distinct words of the answer that its own question does not hold.
  "novel_words" INTEGER NOT NULL DEFAULT 0,
  -- Null for an answer that can be used. Else why it cannot, and what it cost: its session asks for a repair of it instead of asking anew.
  "unreadable" JSONB,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "expires_at" TIMESTAMPTZ(6) NOT NULL,
  CONSTRAINT "model_response_cache_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "model_response_cache_question_is_sha256" CHECK (octet_length(question_sha256) = 32),
  CONSTRAINT "model_response_cache_signature_check" CHECK (octet_length(signature) = 512)
);
CREATE UNIQUE INDEX "model_response_cache_tenant_id_prompt_version_question_sha256_key" ON "model_response_cache"("tenant_id", "prompt_version", "question_sha256");
CREATE INDEX "model_response_cache_session_id_idx" ON "model_response_cache"("session_id");
CREATE INDEX "model_response_cache_tenant_id_expires_at_idx" ON "model_response_cache"("tenant_id", "expires_at");
ALTER TABLE "model_response_cache" ADD CONSTRAINT "model_response_cache_session_id_fkey" FOREIGN KEY ("session_id") REFERENCES "sessions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Places where nearly identical questions meet. Each key is a hash over the instructions' version, the order of events and one band of the signature. Under
-- a policy an index is used for operators that leak nothing, and equality of bigint is one; overlap of arrays is none.
CREATE TABLE "model_answer_bands" (
  "tenant_id" UUID NOT NULL,
  "key" BIGINT NOT NULL,
  "answer_id" UUID NOT NULL,
  CONSTRAINT "model_answer_bands_pkey" PRIMARY KEY ("tenant_id", "key", "answer_id")
);
CREATE INDEX "model_answer_bands_answer_id_idx" ON "model_answer_bands"("answer_id");
ALTER TABLE "model_answer_bands" ADD CONSTRAINT "model_answer_bands_answer_id_fkey" FOREIGN KEY ("answer_id") REFERENCES "model_response_cache"("id") ON DELETE CASCADE ON UPDATE CASCADE;

CREATE TABLE "system_alerts" (
  "id" UUID NOT NULL,
  "tenant_id" UUID NOT NULL,
  "user_id" UUID NOT NULL,
  "type" TEXT NOT NULL,
  -- The UTC day that it speaks of.
  "day" DATE NOT NULL,
  "details" JSONB NOT NULL DEFAULT '{}',
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "system_alerts_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "system_alerts_type_check" CHECK (type IN ('budget_threshold'))
);
CREATE UNIQUE INDEX "system_alerts_user_id_type_day_key" ON "system_alerts"("user_id", "type", "day");
CREATE INDEX "system_alerts_tenant_id_id_idx" ON "system_alerts"("tenant_id", "id" DESC);
ALTER TABLE "system_alerts" ADD CONSTRAINT "system_alerts_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

DO $$
DECLARE
  owned text;
BEGIN
  FOREACH owned IN ARRAY ARRAY['usage_reservations', 'model_response_cache', 'model_answer_bands', 'system_alerts'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', owned);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', owned);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()))', owned);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO recollect_app, recollect_maintenance', owned);
  END LOOP;
END
$$;

-- Takes tokens of a user's day and a place among the calls that are made at once, or says what is in the way: `over_quota` where no day has so many tokens,
-- so that waiting is of no use at all, and `over_day` before `busy`, because waiting for a place is of none then. A batch takes no place. Calls of all tenants are counted, hence SECURITY DEFINER with the tenant as an argument; reservations are
-- made one after another, so that what each counts is what stands.
CREATE FUNCTION reserve_model_call(for_tenant uuid, for_user uuid, reservation uuid, want integer, for_batch boolean, life_ms bigint, instance_quota integer,
                                   max_calls integer, max_user_calls integer)
  RETURNS TABLE (outcome text, quota integer, used integer, reserved bigint, resets_in_ms bigint)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
DECLARE
  today date;
  user_calls bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('recollect.model_calls'));
  today := (clock_timestamp() AT TIME ZONE 'UTC')::date;
  resets_in_ms := ceil(extract(epoch FROM ((today + 1)::timestamp AT TIME ZONE 'UTC') - clock_timestamp()) * 1000);
  -- One statement, one snapshot: a call that settles meanwhile is counted as reserved or as used, never as neither.
  SELECT coalesce(u.daily_token_quota, instance_quota), CASE WHEN u.tokens_used_on >= today THEN u.tokens_used_today ELSE 0 END,
         coalesce(live.tokens, 0), coalesce(live.calls, 0)
    INTO quota, used, reserved, user_calls
    FROM users u
   CROSS JOIN LATERAL (SELECT sum(r.tokens) AS tokens, count(*) FILTER (WHERE NOT r.batch) AS calls
                         FROM usage_reservations r WHERE r.user_id = u.id AND r.expires_at > clock_timestamp()) AS live
   WHERE u.id = for_user AND u.tenant_id = for_tenant;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no such user' USING ERRCODE = 'RC002';
  END IF;
  IF want > quota THEN
    outcome := 'over_quota';
  ELSIF used + reserved + want > quota THEN
    outcome := 'over_day';
  ELSIF NOT for_batch AND (user_calls >= max_user_calls
                           OR (SELECT count(*) FROM usage_reservations r WHERE NOT r.batch AND r.expires_at > clock_timestamp()) >= max_calls) THEN
    outcome := 'busy';
  ELSE
    INSERT INTO usage_reservations (id, tenant_id, user_id, tokens, batch, expires_at)
    VALUES (reservation, for_tenant, for_user, want, for_batch, clock_timestamp() + make_interval(secs => life_ms / 1000.0));
    reserved := reserved + want;
    outcome := 'granted';
  END IF;
  RETURN NEXT;
END
$$;

-- What the instance's calls came to between two ids of the ledger, for the metrics: sums over all tenants, and nothing else of the rows.
CREATE FUNCTION model_calls_between(after_id uuid, up_to_id uuid)
  RETURNS TABLE (provider text, model text, operation text, batch boolean, cache_hit boolean, calls bigint, input_tokens bigint, output_tokens bigint,
                 tokens_cached bigint, usd numeric, seconds numeric)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  SELECT l.provider, l.model, l.operation, l.batch, l.cache_hit, count(*), sum(l.input_tokens), sum(l.output_tokens), sum(l.tokens_cached), sum(l.cost_usd),
         sum(l.latency_ms) / 1000.0
    FROM usage_ledger l WHERE l.id > after_id AND l.id <= up_to_id GROUP BY 1, 2, 3, 4, 5
$$;

CREATE FUNCTION model_incidents_between(after_id uuid, up_to_id uuid)
  RETURNS TABLE (budget_alerts bigint, claims_dropped bigint)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  SELECT (SELECT count(*) FROM system_alerts a WHERE a.id > after_id AND a.id <= up_to_id),
         (SELECT coalesce(sum(s.claims_dropped), 0) FROM summaries s WHERE s.id > after_id AND s.id <= up_to_id)
$$;

GRANT SELECT, INSERT ON "usage_reservations" TO recollect_definer;
GRANT SELECT ("id", "provider", "model", "operation", "batch", "cache_hit", "input_tokens", "output_tokens", "tokens_cached", "cost_usd", "latency_ms")
  ON "usage_ledger" TO recollect_definer;
GRANT SELECT ("id", "type") ON "system_alerts" TO recollect_definer;
GRANT CREATE ON SCHEMA public TO recollect_definer;
ALTER FUNCTION reserve_model_call(uuid, uuid, uuid, integer, boolean, bigint, integer, integer, integer) OWNER TO recollect_definer;
ALTER FUNCTION model_calls_between(uuid, uuid) OWNER TO recollect_definer;
ALTER FUNCTION model_incidents_between(uuid, uuid) OWNER TO recollect_definer;
REVOKE CREATE ON SCHEMA public FROM recollect_definer;
REVOKE EXECUTE ON FUNCTION reserve_model_call(uuid, uuid, uuid, integer, boolean, bigint, integer, integer, integer), model_calls_between(uuid, uuid),
  model_incidents_between(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reserve_model_call(uuid, uuid, uuid, integer, boolean, bigint, integer, integer, integer), model_calls_between(uuid, uuid),
  model_incidents_between(uuid, uuid) TO recollect_app;
