-- Takes up to `want` of what is left of a bucket's quota in its running window, by PostgreSQL's clock. A window begins with the first draw after the end of
-- the one before. The daily retention run deletes ended buckets.
CREATE OR REPLACE FUNCTION draw_rate(bucket text, want integer, quota integer, window_s integer,
    OUT granted integer, OUT remaining integer, OUT ends_in_ms integer)
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
    INSERT INTO rate_limits AS r (bucket, used, ends_at) VALUES ($1, least($2, $3), now() + $4 * interval '1 second')
    ON CONFLICT ON CONSTRAINT rate_limits_pkey DO UPDATE
       SET used = CASE WHEN r.ends_at <= now() THEN excluded.used ELSE greatest(r.used, least($3, r.used + $2)) END,
           ends_at = CASE WHEN r.ends_at <= now() THEN excluded.ends_at ELSE r.ends_at END
    RETURNING new.used - CASE WHEN old.ends_at IS DISTINCT FROM new.ends_at THEN 0 ELSE old.used END,
              greatest(0, $3 - new.used),
              ceil(1000 * extract(epoch FROM new.ends_at - now()))::integer
  $$;
ALTER FUNCTION draw_rate OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION draw_rate FROM PUBLIC;
GRANT EXECUTE ON FUNCTION draw_rate TO recollect_app;
