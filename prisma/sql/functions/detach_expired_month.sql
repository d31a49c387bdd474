-- Detaches a month whose rows have all expired, and returns what it contained; null columns and no rows if it is empty. The rows stay in the detached
-- table until `drop_detached_month`. The check blocks writes to the month and new legal holds. The parent is locked for milliseconds, and the
-- function never waits for it longer than captures may wait. Fails with RT001 if rows must stay, RT002 if the month is not over or not a partition.
CREATE OR REPLACE FUNCTION detach_expired_month(hot text, month date, cells jsonb, named_projects uuid[])
  RETURNS TABLE (tenant_id uuid, run uuid, rule text, project_id uuid, data_class text, rows bigint, bytes bigint)
  -- The planner takes the groups for as wide as the rows: with less memory it would sort the month on disk.
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET work_mem = '64MB'
  AS $$
#variable_conflict use_column
DECLARE
  part text := hot || '_' || to_char(month, 'YYYY_MM');
  columns text := CASE hot
    WHEN 'observations' THEN 'session_id AS session, data_class AS class, sum(tokens) AS tokens, sum(pg_column_size(title) + pg_column_size(content) + pg_column_size(preview) + coalesce(pg_column_size(input), 0)) AS bytes'
    WHEN 'prompts' THEN 'session_id AS session, data_class AS class, sum(tokens) AS tokens, sum(pg_column_size(content)) AS bytes'
    WHEN 'usage_ledger' THEN 'session_id AS session, '''' AS class, 0 AS tokens, count(*) * 120 AS bytes' END;
  kinds jsonb;
  tries integer := 0;
BEGIN
  IF columns IS NULL OR month <> date_trunc('month', month)::date OR (month + interval '1 month') > (now() AT TIME ZONE 'UTC')
     OR NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = hot::regclass AND i.inhrelid = to_regclass(part)) THEN
    RAISE EXCEPTION 'not a month that is over' USING ERRCODE = 'RT002';
  END IF;
  PERFORM set_config('lock_timeout', '2s', true);
  EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', part);
  EXECUTE format('SELECT jsonb_agg(to_jsonb(k)) FROM (SELECT tenant_id AS tenant, user_id AS "user", count(*) AS rows, %s FROM %I GROUP BY tenant_id, session_id, user_id, class) AS k', columns, part) INTO kinds;
  IF kinds IS NULL THEN
    RETURN;
  END IF;
  -- Only after the count, which takes seconds: legal holds can be placed until here, and the check sees them.
  LOCK TABLE legal_holds IN SHARE MODE;
  RETURN QUERY SELECT * FROM release_expired_month(hot, kinds, cells, named_projects);
  PERFORM set_config('lock_timeout', '100ms', true);
  LOOP
    BEGIN
      EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', hot, part);
      EXIT;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      tries := tries + 1;
      IF tries >= 40 THEN
        RAISE;
      END IF;
      PERFORM pg_sleep(0.1);
    END;
  END LOOP;
END
$$;
REVOKE EXECUTE ON FUNCTION detach_expired_month FROM PUBLIC;
GRANT EXECUTE ON FUNCTION detach_expired_month TO recollect_maintenance;
