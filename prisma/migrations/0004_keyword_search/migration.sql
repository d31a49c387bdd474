-- Keyword search over every kind of memory, for when the vector index is away.
-- SECURITY DEFINER with an explicit tenant, because `@@` is not leakproof: under a policy PostgreSQL would not use the GIN index for it.
--
-- `viewer` is the user who asks, null for an admin: prompts and observations are their owner's. Quotes, OR and minus work as in a web search;
-- a plain question is answered by any of its words, ranked by how many and how close. Scores compare within one answer only.
CREATE FUNCTION search_keyword(
  for_tenant uuid, viewer uuid, question text, types text[], of_project uuid, of_session uuid, in_namespace text,
  of_kind text, of_tool text, with_tags text[], since timestamptz, until timestamptz, at_most integer)
  RETURNS TABLE (memory_id uuid, memory_type text, score real)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
#variable_conflict use_column
DECLARE
  every_word tsquery := websearch_to_tsquery('english', question);
  wanted tsquery := CASE WHEN question ~ '"|(^|\s)-\w|\mOR\M' THEN every_word ELSE replace(every_word::text, '&', '|')::tsquery END;
BEGIN
  IF numnode(wanted) = 0 THEN
    RETURN;
  END IF;
  RETURN QUERY
  SELECT hit.id, hit.memory_type, hit.score FROM (
    (SELECT o.id, 'observation' AS memory_type, ts_rank_cd(o.search, wanted, 1) AS score
       FROM observations o JOIN sessions s ON s.id = o.session_id AND s.status <> 'deleted'
      WHERE (types IS NULL OR 'observation' = ANY (types)) AND o.tenant_id = for_tenant AND o.search @@ wanted
        AND (viewer IS NULL OR o.user_id = viewer) AND (of_project IS NULL OR s.project_id = of_project) AND (of_session IS NULL OR o.session_id = of_session)
        AND (in_namespace IS NULL OR s.namespace = in_namespace) AND (of_kind IS NULL OR o.type = of_kind) AND (of_tool IS NULL OR o.tool = of_tool)
        AND (with_tags IS NULL OR o.tags @> with_tags) AND (since IS NULL OR o.occurred_at >= since) AND (until IS NULL OR o.occurred_at < until)
      ORDER BY score DESC, o.id LIMIT at_most)
    UNION ALL
    (SELECT p.id, 'prompt', ts_rank_cd(p.search, wanted, 1) AS score
       FROM prompts p JOIN sessions s ON s.id = p.session_id AND s.status <> 'deleted'
      WHERE (types IS NULL OR 'prompt' = ANY (types)) AND p.tenant_id = for_tenant AND p.search @@ wanted AND of_tool IS NULL AND with_tags IS NULL
        AND (viewer IS NULL OR p.user_id = viewer) AND (of_project IS NULL OR s.project_id = of_project) AND (of_session IS NULL OR p.session_id = of_session)
        AND (in_namespace IS NULL OR s.namespace = in_namespace) AND (of_kind IS NULL OR p.type = of_kind)
        AND (since IS NULL OR p.occurred_at >= since) AND (until IS NULL OR p.occurred_at < until)
      ORDER BY score DESC, p.id LIMIT at_most)
    UNION ALL
    (SELECT m.id, 'summary', ts_rank_cd(m.search, wanted, 1) AS score
       FROM summaries m JOIN sessions s ON s.id = m.session_id AND s.status <> 'deleted'
      WHERE (types IS NULL OR 'summary' = ANY (types)) AND m.tenant_id = for_tenant AND m.search @@ wanted AND m.published AND of_tool IS NULL
        AND (of_project IS NULL OR m.project_id = of_project) AND (of_session IS NULL OR m.session_id = of_session)
        AND (in_namespace IS NULL OR s.namespace = in_namespace) AND (of_kind IS NULL OR coalesce(m.kind, m.type) = of_kind)
        AND (with_tags IS NULL OR m.tags @> with_tags) AND (since IS NULL OR m.occurred_at >= since) AND (until IS NULL OR m.occurred_at < until)
      ORDER BY score DESC, m.id LIMIT at_most)
    UNION ALL
    (SELECT l.id, 'learning', ts_rank_cd(l.search, wanted, 1) AS score
       FROM learnings l
      WHERE (types IS NULL OR 'learning' = ANY (types)) AND l.tenant_id = for_tenant AND l.search @@ wanted AND l.valid_to IS NULL AND of_tool IS NULL
        AND (of_project IS NULL OR l.project_id = of_project) AND (of_session IS NULL OR l.session_id = of_session)
        AND (in_namespace IS NULL OR l.namespace = in_namespace) AND (of_kind IS NULL OR l.category = of_kind)
        AND (with_tags IS NULL OR l.tags @> with_tags) AND (since IS NULL OR l.valid_from >= since) AND (until IS NULL OR l.valid_from < until)
      ORDER BY score DESC, l.id LIMIT at_most)
  ) AS hit
  ORDER BY hit.score DESC, hit.id
  LIMIT at_most;
END
$$;

GRANT CREATE ON SCHEMA public TO recollect_definer;
ALTER FUNCTION search_keyword(uuid, uuid, text, text[], uuid, uuid, text, text, text, text[], timestamptz, timestamptz, integer) OWNER TO recollect_definer;
REVOKE CREATE ON SCHEMA public FROM recollect_definer;
REVOKE EXECUTE ON FUNCTION search_keyword(uuid, uuid, text, text[], uuid, uuid, text, text, text, text[], timestamptz, timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_keyword(uuid, uuid, text, text[], uuid, uuid, text, text, text, text[], timestamptz, timestamptz, integer) TO recollect_app;
