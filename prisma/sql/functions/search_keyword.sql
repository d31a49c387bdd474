-- Keyword search over every kind of memory: while the vector index is unavailable, and for queries with a phrase. SECURITY DEFINER with the tenant as an argument,
-- because `@@` is not leakproof: under a policy PostgreSQL would not use the GIN index.
--
-- `viewer` is the requesting user, null for an admin: prompts, observations and private learnings are visible to their owner. `phrases` are the quoted parts; minus and OR
-- are ordinary words. Any word of the query matches; rank counts how many words match and how often: proximity (`ts_rank_cd`) finds half as many results.
-- Texts are compared with phrases and files best first, until enough are found (without OFFSET PostgreSQL would compare all before it sorts): of 38,000 rows with a common word
-- that took six seconds of processor time. Scores compare within one result only. `as_of` returns what was known at that time: rows that had occurred, learnings that were current.
CREATE OR REPLACE FUNCTION search_keyword(
  for_tenant uuid, viewer uuid, query_text text, types text[], of_project uuid, of_session uuid, except_session uuid, in_namespace text,
  of_kind text, of_tool text, with_tags text[], since timestamptz, until timestamptz, as_of timestamptz, phrases text[], files text[], at_most integer)
  RETURNS TABLE (memory_id uuid, memory_type text, score real, session_id uuid, kind text, tool text)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
#variable_conflict use_column
DECLARE
  any_word tsquery := replace(plainto_tsquery('english', query_text)::text, '&', '|')::tsquery;
  required tsquery := any_word;
  phrase text;
  part tsquery;
  found_phrase boolean := false;
BEGIN
  FOREACH phrase IN ARRAY coalesce(phrases, '{}') LOOP
    part := phraseto_tsquery('english', phrase);
    -- The index has no lexemes for a phrase of stop words or of a script without blanks: `contains_phrases` compares the text.
    CONTINUE WHEN numnode(part) = 0 OR phrase ~ '[^\u0001-\u024f]';
    required := CASE WHEN found_phrase THEN required && part ELSE part END;
    any_word := any_word || part;
    found_phrase := true;
  END LOOP;
  IF numnode(required) = 0 THEN
    RETURN;
  END IF;
  RETURN QUERY
  SELECT hit.id, hit.memory_type, hit.score, hit.session_id, hit.kind, hit.tool FROM (SELECT * FROM (
    (SELECT o.id, 'observation' AS memory_type, ts_rank(o.search, any_word, 1) AS score, o.session_id, o.type AS kind, o.tool
       FROM observations o JOIN sessions s ON s.id = o.session_id AND s.status <> 'deleted'
      WHERE (types IS NULL OR 'observation' = ANY (types)) AND o.tenant_id = for_tenant AND o.search @@ required
        AND (viewer IS NULL OR o.user_id = viewer) AND (of_project IS NULL OR s.project_id = of_project) AND (of_session IS NULL OR o.session_id = of_session) AND o.session_id IS DISTINCT FROM except_session
        AND (in_namespace IS NULL OR s.namespace = in_namespace) AND (of_kind IS NULL OR o.type = of_kind) AND (of_tool IS NULL OR o.tool = of_tool)
        AND (with_tags IS NULL OR o.tags @> with_tags) AND (since IS NULL OR o.occurred_at >= since) AND (until IS NULL OR o.occurred_at < until)
        AND (as_of IS NULL OR o.occurred_at <= as_of))
    UNION ALL
    (SELECT p.id, 'prompt', ts_rank(p.search, any_word, 1) AS score, p.session_id, p.type, NULL
       FROM prompts p JOIN sessions s ON s.id = p.session_id AND s.status <> 'deleted'
      WHERE (types IS NULL OR 'prompt' = ANY (types)) AND p.tenant_id = for_tenant AND p.search @@ required AND of_tool IS NULL AND with_tags IS NULL
        AND (viewer IS NULL OR p.user_id = viewer) AND (of_project IS NULL OR s.project_id = of_project) AND (of_session IS NULL OR p.session_id = of_session) AND p.session_id IS DISTINCT FROM except_session
        AND (in_namespace IS NULL OR s.namespace = in_namespace) AND (of_kind IS NULL OR p.type = of_kind)
        AND (since IS NULL OR p.occurred_at >= since) AND (until IS NULL OR p.occurred_at < until) AND (as_of IS NULL OR p.occurred_at <= as_of))
    UNION ALL
    (SELECT m.id, 'summary', ts_rank(m.search, any_word, 1) AS score, m.session_id, coalesce(m.kind, m.type), NULL
       FROM summaries m JOIN sessions s ON s.id = m.session_id AND s.status <> 'deleted'
      WHERE (types IS NULL OR 'summary' = ANY (types)) AND m.tenant_id = for_tenant AND m.search @@ required AND m.published AND of_tool IS NULL
        AND (of_project IS NULL OR m.project_id = of_project) AND (of_session IS NULL OR m.session_id = of_session) AND m.session_id IS DISTINCT FROM except_session
        AND (in_namespace IS NULL OR s.namespace = in_namespace) AND (of_kind IS NULL OR coalesce(m.kind, m.type) = of_kind)
        AND (with_tags IS NULL OR m.tags @> with_tags) AND (since IS NULL OR m.occurred_at >= since) AND (until IS NULL OR m.occurred_at < until)
        AND (as_of IS NULL OR m.occurred_at <= as_of))
    UNION ALL
    (SELECT l.id, 'learning', ts_rank(l.search, any_word, 1) AS score, l.session_id, l.category, NULL
       FROM learnings l
      WHERE (types IS NULL OR 'learning' = ANY (types)) AND l.tenant_id = for_tenant AND l.search @@ required AND (viewer IS NULL OR l.visibility = 'shared' OR l.user_id = viewer)
        AND (CASE WHEN as_of IS NULL THEN l.valid_to IS NULL ELSE l.valid_from <= as_of AND (l.valid_to IS NULL OR l.valid_to > as_of) END)
         AND (l.reason IS NULL OR l.reason NOT IN ('deleted', 'evidence forgotten')) AND of_tool IS NULL
        AND (of_project IS NULL OR l.project_id = of_project) AND (of_session IS NULL OR l.session_id = of_session) AND (except_session IS NULL OR l.session_id IS DISTINCT FROM except_session)
        AND (in_namespace IS NULL OR l.namespace = in_namespace) AND (of_kind IS NULL OR l.category = of_kind)
        AND (with_tags IS NULL OR l.tags @> with_tags) AND (since IS NULL OR l.valid_from >= since) AND (until IS NULL OR l.valid_from < until))
  ) AS found ORDER BY found.score DESC, found.id OFFSET 0) AS hit
   WHERE (phrases IS NULL AND files IS NULL) OR CASE hit.memory_type
     WHEN 'observation' THEN EXISTS (SELECT FROM observations o WHERE o.id = hit.id
       AND contains_phrases(o.title || ' ' || o.content, phrases) AND mentions_files(o.files_read || o.files_modified, o.title || ' ' || o.content, files))
     WHEN 'prompt' THEN EXISTS (SELECT FROM prompts p WHERE p.id = hit.id AND contains_phrases(p.content, phrases) AND mentions_files('{}', p.content, files))
     WHEN 'summary' THEN EXISTS (SELECT FROM summaries m WHERE m.id = hit.id
       AND contains_phrases(m.title || ' ' || m.content, phrases) AND mentions_files(m.files_read || m.files_modified, m.title || ' ' || m.content, files))
     ELSE EXISTS (SELECT FROM learnings l WHERE l.id = hit.id
       AND contains_phrases(concat_ws(' ', l.title, l.description, l.context), phrases) AND mentions_files('{}', concat_ws(' ', l.title, l.description, l.context), files))
   END
   LIMIT at_most;
END
$$;
ALTER FUNCTION search_keyword OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION search_keyword FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_keyword TO recollect_app, recollect_maintenance;
