-- Checks that all rows of a month are deletable: a rule covers them, their session has ended, and no legal hold covers them. Subtracts the rows from the
-- counts of their sessions. `kinds` are the month's rows by tenant, session, user and class, `cells` the rules whose age the full month has reached. Fails
-- with RT001 if a row must be retained.
CREATE OR REPLACE FUNCTION release_expired_month(hot text, kinds jsonb, cells jsonb, named_projects uuid[])
  RETURNS TABLE (tenant_id uuid, run uuid, rule text, project_id uuid, data_class text, rows bigint, bytes bigint)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
#variable_conflict use_column
DECLARE
  decided jsonb;
BEGIN
  SELECT jsonb_agg(to_jsonb(j)) INTO decided FROM (
    SELECT k.tenant, k.session, k.class, k.rows, k.bytes, k.tokens, s.project_id AS project, c.run, c.rule
      FROM jsonb_to_recordset(kinds) AS k(tenant uuid, session uuid, "user" uuid, class text, rows bigint, bytes bigint, tokens bigint)
      LEFT JOIN sessions s ON s.id = k.session
      LEFT JOIN jsonb_to_recordset(cells) AS c(tenant uuid, run uuid, rule text, project uuid, class text)
        ON c.tenant = k.tenant AND c.class = k.class AND c.project IS NOT DISTINCT FROM CASE WHEN s.project_id = ANY (named_projects) THEN s.project_id END) AS j;
  IF EXISTS (SELECT FROM jsonb_to_recordset(decided) AS j(rule text) WHERE j.rule IS NULL)
     OR EXISTS (SELECT FROM jsonb_to_recordset(kinds) AS k(session uuid) JOIN sessions s ON s.id = k.session WHERE s.status = 'active' AND s.phase <> 'cancelled')
     OR EXISTS (
       SELECT FROM jsonb_to_recordset(kinds) AS k(tenant uuid, session uuid, "user" uuid)
         JOIN legal_holds h ON h.tenant_id = k.tenant AND h.released_at IS NULL
         LEFT JOIN sessions s ON s.id = k.session
        WHERE h.subject = 'tenant' OR h.subject_id IN (k.session, k."user", s.project_id)) THEN
    RAISE EXCEPTION 'a row of this month must be retained' USING ERRCODE = 'RT001';
  END IF;
  IF hot <> 'usage_ledger' THEN
    UPDATE sessions s
       SET prompt_count = greatest(0, s.prompt_count - CASE hot WHEN 'prompts' THEN deleted.rows ELSE 0 END),
           observation_count = greatest(0, s.observation_count - CASE hot WHEN 'observations' THEN deleted.rows ELSE 0 END),
           token_count = greatest(0, s.token_count - deleted.tokens), updated_at = now()
      FROM (SELECT j.session, sum(j.rows)::integer AS rows, sum(j.tokens)::integer AS tokens
              FROM jsonb_to_recordset(decided) AS j(session uuid, rows bigint, tokens bigint) GROUP BY 1) AS deleted
     WHERE s.id = deleted.session AND s.status <> 'archived';
  END IF;
  RETURN QUERY
  SELECT j.tenant, j.run, j.rule, j.project, j.class, sum(j.rows)::bigint, sum(j.bytes)::bigint
    FROM jsonb_to_recordset(decided) AS j(tenant uuid, run uuid, rule text, project uuid, class text, rows bigint, bytes bigint) GROUP BY 1, 2, 3, 4, 5;
END
$$;
ALTER FUNCTION release_expired_month OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION release_expired_month FROM PUBLIC;
GRANT EXECUTE ON FUNCTION release_expired_month TO recollect_owner;
