-- Reserves tokens of a user's day and one of the concurrent calls, or returns the obstacle: `over_quota` if no day has that many tokens, so that
-- waiting is useless; `over_day` before `busy`, because waiting for a call to end is useless then. `provider_quota`: tokens of the user's day at this
-- provider, null for no limit of its own; the returned quota is the one that was exceeded. A batch does not count as concurrent. The function
-- counts calls of all tenants, hence SECURITY DEFINER with the tenant as an argument; reservations are serialised, so that each counts all others.
CREATE OR REPLACE FUNCTION reserve_model_call(for_tenant uuid, for_user uuid, reservation uuid, requested integer, for_provider text, provider_quota integer,
                                   for_batch boolean, life_ms bigint, instance_quota integer, max_calls integer, max_user_calls integer)
  RETURNS TABLE (outcome text, quota integer, used integer, reserved bigint, resets_in_ms bigint)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
DECLARE
  today date;
  user_calls bigint;
  provider_tokens bigint := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('recollect.model_calls'));
  today := (clock_timestamp() AT TIME ZONE 'UTC')::date;
  resets_in_ms := ceil(extract(epoch FROM ((today + 1)::timestamp AT TIME ZONE 'UTC') - clock_timestamp()) * 1000);
  -- One statement, one snapshot: a call that settles meanwhile is counted as reserved or as used, never as neither.
  SELECT coalesce(u.daily_token_quota, instance_quota), CASE WHEN u.tokens_used_on >= today THEN u.tokens_used_today ELSE 0 END,
         coalesce(live.tokens, 0), coalesce(live.calls, 0),
         -- The ledger is read only if the provider has a limit.
         CASE WHEN provider_quota IS NULL THEN 0 ELSE coalesce(live.of_provider, 0) + (
           SELECT coalesce(sum(l.input_tokens::bigint + l.output_tokens), 0) FROM usage_ledger l
            WHERE l.tenant_id = for_tenant AND l.user_id = for_user AND l.provider = for_provider
              AND l.id >= uuidv7_floor(today::timestamp AT TIME ZONE 'UTC')) END
    INTO quota, used, reserved, user_calls, provider_tokens
    FROM users u
   CROSS JOIN LATERAL (SELECT sum(r.tokens) AS tokens, count(*) FILTER (WHERE NOT r.batch) AS calls,
                              sum(r.tokens) FILTER (WHERE r.provider = for_provider) AS of_provider
                         FROM usage_reservations r WHERE r.user_id = u.id AND r.expires_at > clock_timestamp()) AS live
   WHERE u.id = for_user AND u.tenant_id = for_tenant;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'no such user' USING ERRCODE = 'RC002';
  END IF;
  IF requested > least(quota, provider_quota) THEN
    outcome := 'over_quota';
    quota := least(quota, provider_quota);
  ELSIF used + reserved + requested > quota OR provider_tokens + requested > provider_quota THEN
    outcome := 'over_day';
  ELSIF NOT for_batch AND (user_calls >= max_user_calls
                           OR (SELECT count(*) FROM usage_reservations r WHERE NOT r.batch AND r.expires_at > clock_timestamp()) >= max_calls) THEN
    outcome := 'busy';
  ELSE
    INSERT INTO usage_reservations (id, tenant_id, user_id, tokens, provider, batch, expires_at)
    VALUES (reservation, for_tenant, for_user, requested, for_provider, for_batch, clock_timestamp() + make_interval(secs => life_ms / 1000.0));
    reserved := reserved + requested;
    outcome := 'granted';
  END IF;
  RETURN NEXT;
END
$$;
ALTER FUNCTION reserve_model_call OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION reserve_model_call FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reserve_model_call TO recollect_app;
