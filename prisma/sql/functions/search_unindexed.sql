-- Searches memories that the vector index does not contain yet, the newest of them. The score is the share of the query's words in the memory, 0 to 1.
-- `query_text` has the words of scripts with blanks, `pairs` neighbouring characters of the others. At most 120 pending chunks and 120 unconsumed rows are
-- read, their first 8,000 characters: a search must be fast during a burst. One plan for all values: planning over all partitions took longer than execution.
CREATE OR REPLACE FUNCTION search_unindexed(
  for_tenant uuid, viewer uuid, for_model text, query_text text, pairs text[], types text[], of_project uuid, of_session uuid, except_session uuid, in_namespace text,
  of_kind text, of_tool text, with_tags text[], since timestamptz, until timestamptz, as_of timestamptz, at_most integer)
  RETURNS TABLE (memory_id uuid, memory_type text, score real, session_id uuid, kind text, tool text)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
  AS $$
#variable_conflict use_column
DECLARE
  lexemes text[] := tsvector_to_array(to_tsvector('english', query_text));
  total real := cardinality(lexemes) + cardinality(pairs);
  -- Rows that are pending for more than a week need an operator; the bound limits the search to recent partitions.
  least_id uuid := (left(v, 8) || '-' || substr(v, 9, 4) || '-0000-0000-000000000000')::uuid
    FROM lpad(to_hex((extract(epoch FROM now() - interval '7 days') * 1000)::bigint), 12, '0') AS v;
BEGIN
  -- Usually nothing is pending.
  IF total = 0 OR NOT (
    EXISTS (SELECT FROM sessions s WHERE s.last_seq > s.consumed_seq AND s.tenant_id = for_tenant)
    OR EXISTS (SELECT FROM embeddings e WHERE e.tenant_id = for_tenant AND e.model = for_model AND e.state = 'pending')) THEN
    RETURN;
  END IF;
  RETURN QUERY
  WITH open_sessions AS MATERIALIZED (
    SELECT s.id, s.consumed_seq FROM sessions s
     WHERE s.last_seq > s.consumed_seq AND s.tenant_id = for_tenant AND (of_session IS NULL OR s.id = of_session) AND s.id IS DISTINCT FROM except_session
     ORDER BY s.last_event_at DESC LIMIT 20
  ), pending AS MATERIALIZED (
    SELECT DISTINCT w.resource_type, w.resource_id FROM (
      SELECT e.resource_type, e.resource_id FROM embeddings e
       WHERE e.tenant_id = for_tenant AND e.model = for_model AND e.state = 'pending' ORDER BY e.occurred_at DESC, e.id DESC LIMIT 120) AS w
  ), rows AS (
    SELECT o.id, 'observation' AS memory_type, o.type AS kind, o.tool, o.tags, o.session_id, o.user_id, o.occurred_at, left(o.title || ' ' || o.content, 8000) AS body
      FROM pending w JOIN observations o ON o.id = w.resource_id WHERE w.resource_type = 'observation'
    UNION ALL
    SELECT q.id, 'prompt', q.type, NULL, '{}', q.session_id, q.user_id, q.occurred_at, left(q.content, 8000)
      FROM pending w JOIN prompts q ON q.id = w.resource_id WHERE w.resource_type = 'prompt'
    UNION ALL
    SELECT n.* FROM (
      SELECT o.id, 'observation', o.type, o.tool, o.tags, o.session_id, o.user_id, o.occurred_at, left(o.title || ' ' || o.content, 8000)
        FROM open_sessions s JOIN observations o ON o.session_id = s.id AND o.seq > s.consumed_seq AND o.id >= least_id ORDER BY o.id DESC LIMIT 60) AS n
    UNION ALL
    SELECT n.* FROM (
      SELECT q.id, 'prompt', q.type, NULL, '{}'::text[], q.session_id, q.user_id, q.occurred_at, left(q.content, 8000)
        FROM open_sessions s JOIN prompts q ON q.session_id = s.id AND q.seq > s.consumed_seq AND q.id >= least_id ORDER BY q.id DESC LIMIT 60) AS n
  ), filtered AS (
    SELECT r.id, r.memory_type, r.session_id, r.kind, r.tool, r.body FROM rows r JOIN sessions s ON s.id = r.session_id AND s.status <> 'deleted' AND s.tenant_id = for_tenant
     WHERE (types IS NULL OR r.memory_type = ANY (types)) AND (viewer IS NULL OR r.user_id = viewer) AND (of_project IS NULL OR s.project_id = of_project)
       AND (of_session IS NULL OR r.session_id = of_session) AND r.session_id IS DISTINCT FROM except_session AND (in_namespace IS NULL OR s.namespace = in_namespace) AND (of_kind IS NULL OR r.kind = of_kind)
       AND (of_tool IS NULL OR r.tool = of_tool) AND (with_tags IS NULL OR r.tags @> with_tags)
       AND (since IS NULL OR r.occurred_at >= since) AND (until IS NULL OR r.occurred_at < until) AND (as_of IS NULL OR r.occurred_at <= as_of)
    UNION ALL
    SELECT m.id, 'summary', m.session_id, coalesce(m.kind, m.type), NULL, left(m.title || ' ' || m.content, 8000)
      FROM pending w JOIN summaries m ON m.id = w.resource_id AND m.published JOIN sessions s ON s.id = m.session_id AND s.status <> 'deleted'
     WHERE w.resource_type = 'summary' AND m.tenant_id = for_tenant AND (types IS NULL OR 'summary' = ANY (types)) AND of_tool IS NULL
       AND (of_project IS NULL OR m.project_id = of_project) AND (of_session IS NULL OR m.session_id = of_session) AND m.session_id IS DISTINCT FROM except_session
       AND (in_namespace IS NULL OR s.namespace = in_namespace) AND (of_kind IS NULL OR coalesce(m.kind, m.type) = of_kind)
       AND (with_tags IS NULL OR m.tags @> with_tags) AND (since IS NULL OR m.occurred_at >= since) AND (until IS NULL OR m.occurred_at < until)
       AND (as_of IS NULL OR m.occurred_at <= as_of)
    UNION ALL
    SELECT l.id, 'learning', l.session_id, l.category, NULL, left(concat_ws(' ', l.title, l.description, l.context), 8000)
      FROM pending w JOIN learnings l ON l.id = w.resource_id
     WHERE w.resource_type = 'learning' AND l.tenant_id = for_tenant AND (types IS NULL OR 'learning' = ANY (types)) AND of_tool IS NULL AND (viewer IS NULL OR l.visibility = 'shared' OR l.user_id = viewer)
       AND (CASE WHEN as_of IS NULL THEN l.valid_to IS NULL ELSE l.valid_from <= as_of AND (l.valid_to IS NULL OR l.valid_to > as_of) END)
         AND (l.reason IS NULL OR l.reason NOT IN ('deleted', 'evidence forgotten'))
       AND (of_project IS NULL OR l.project_id = of_project) AND (of_session IS NULL OR l.session_id = of_session) AND (except_session IS NULL OR l.session_id IS DISTINCT FROM except_session)
       AND (in_namespace IS NULL OR l.namespace = in_namespace) AND (of_kind IS NULL OR l.category = of_kind)
       AND (with_tags IS NULL OR l.tags @> with_tags) AND (since IS NULL OR l.valid_from >= since) AND (until IS NULL OR l.valid_from < until)
  ), counted AS (
    SELECT t.id, t.memory_type, t.session_id, t.kind, t.tool, (
      cardinality(ARRAY(SELECT unnest(lexemes) INTERSECT SELECT unnest(tsvector_to_array(to_tsvector('english', t.body)))))
      + (SELECT count(*) FROM unnest(pairs) AS pair WHERE position(pair IN lower(t.body)) > 0)) / total AS share FROM filtered t
  )
  SELECT DISTINCT ON (c.share, c.id) c.id, c.memory_type, c.share::real, c.session_id, c.kind, c.tool FROM counted c WHERE c.share > 0 ORDER BY c.share DESC, c.id DESC LIMIT at_most;
END
$$;
ALTER FUNCTION search_unindexed OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION search_unindexed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_unindexed TO recollect_app;
