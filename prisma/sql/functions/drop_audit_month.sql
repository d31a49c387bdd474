-- Drops a month of the audit log that is over for `days` days; returns the number of rows. The rest of each chain begins after the last dropped row.
-- Fails with RT001 under a legal hold of a tenant or a user in it, RT002 if the month is too young or not a partition.
CREATE OR REPLACE FUNCTION drop_audit_month(month date, days integer) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
DECLARE
  part text := 'audit_log_' || to_char(month, 'YYYY_MM');
  above timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
  ends jsonb;
  rows bigint;
BEGIN
  IF days < 180 OR above > now() - make_interval(days => days)
     OR NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = 'audit_log'::regclass AND i.inhrelid = to_regclass(part)) THEN
    RAISE EXCEPTION 'not a month that has expired' USING ERRCODE = 'RT002';
  END IF;
  -- By the partition's own name: the policies of its parent bind the owner, too. Nothing is written to a month that is over.
  EXECUTE format('SELECT jsonb_agg(to_jsonb(e)), coalesce(sum(e.rows), 0)
                    FROM (SELECT tenant_id AS tenant, count(*) AS rows, max(seq) AS seq, (array_agg(encode(hash, ''hex'') ORDER BY seq DESC))[1] AS hash,
                                 array_agg(DISTINCT actor_id) AS actors FROM %I GROUP BY tenant_id) AS e', part) INTO ends, rows;
  PERFORM set_config('lock_timeout', '2s', true);
  LOCK TABLE legal_holds IN SHARE MODE;
  -- Appends lock the head before the table; so does this.
  PERFORM release_audit_month(ends, above);
  EXECUTE format('DROP TABLE %I', part);
  RETURN rows;
END
$$;
REVOKE EXECUTE ON FUNCTION drop_audit_month FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_audit_month TO recollect_maintenance;
