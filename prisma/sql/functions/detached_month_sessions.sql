-- Returns a page of the sessions with rows in a detached month: their tenants, the positions of user prompts, and the full values of truncated rows,
-- read from rows that are long enough to contain such a note.
CREATE OR REPLACE FUNCTION detached_month_sessions(hot text, month date, after uuid, at_most integer)
  RETURNS TABLE (tenant_id uuid, session_id uuid, prompt_seqs integer[], full_values text[])
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
#variable_conflict use_column
DECLARE
  part text := assert_detached_month(hot, month);
  prompt_seqs text := CASE hot WHEN 'prompts' THEN 'array_agg(r.seq) FILTER (WHERE r.type = ''user'')' ELSE 'NULL::integer[]' END;
  noted text := CASE hot
    WHEN 'observations' THEN 'CASE WHEN octet_length(r.content) > 16384 OR pg_column_size(r.input) > 500 THEN r.content || coalesce(r.input::text, '''') END'
    WHEN 'prompts' THEN 'CASE WHEN octet_length(r.content) > 16384 THEN r.content END' END;
BEGIN
  IF noted IS NULL OR to_regclass(part) IS NULL THEN
    RETURN;
  END IF;
  RETURN QUERY EXECUTE format($page$
    SELECT rows.tenant_id, s.session_id, rows.prompt_seqs, notes.full_values
      FROM (SELECT DISTINCT r.session_id FROM %1$I r WHERE r.session_id > $1 ORDER BY 1 LIMIT $2) AS s
     CROSS JOIN LATERAL (SELECT min(r.tenant_id::text)::uuid AS tenant_id, %2$s AS prompt_seqs FROM %1$I r WHERE r.session_id = s.session_id) AS rows
     CROSS JOIN LATERAL (
       SELECT array_agg(DISTINCT note[1]) AS full_values FROM (SELECT %3$s AS noted FROM %1$I r WHERE r.session_id = s.session_id) AS r
        CROSS JOIN LATERAL regexp_matches(r.noted, 'bytes in all \(sha256:([0-9a-f]{64})\), the middle is left out', 'g') AS note WHERE r.noted IS NOT NULL) AS notes$page$,
    part, prompt_seqs, noted) USING after, at_most;
END
$$;
REVOKE EXECUTE ON FUNCTION detached_month_sessions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION detached_month_sessions TO recollect_maintenance;
