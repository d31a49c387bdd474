-- Returns a memory's use weight at the start of the UTC day: feedback does not change the context blocks of the same day.
CREATE OR REPLACE FUNCTION use_weight_at_day_start(memory uuid, weight real) RETURNS real
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT greatest(0, weight - coalesce((SELECT sum(u.weight) FROM memory_uses u WHERE u.resource_id = memory AND u.created_at >= date_trunc('day', now(), 'UTC')), 0))::real $$;
