-- What search asks of PostgreSQL beside the vector index: phrases, files and times of belief within the keyword search, what waits for its vector,
-- entities by the names of a question, and completion. All SECURITY DEFINER with an explicit tenant where an operator is not leakproof (`@@`, LIKE):
-- under a policy PostgreSQL would use no index for it.

-- True where a text holds every phrase. Phrases come in lower case with single blanks, as `domain/query/phrases.ts` makes them.
CREATE FUNCTION contains_phrases(body text, phrases text[]) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT phrases IS NULL OR NOT EXISTS (SELECT FROM unnest(phrases) AS phrase WHERE position(phrase IN regexp_replace(lower(body), '\s+', ' ', 'g')) = 0) $$;

-- True where a memory has to do with each of these files: one of its paths ends in it, or its text names it.
CREATE FUNCTION names_files(paths text[], body text, files text[]) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT files IS NULL OR NOT EXISTS (
    SELECT FROM unnest(files) AS file
     WHERE position(lower(file) IN lower(body)) = 0
       AND NOT EXISTS (SELECT FROM unnest(paths) AS path WHERE right('/' || lower(path), length(file) + 1) = '/' || lower(file))) $$;

DROP FUNCTION search_keyword(uuid, uuid, text, text[], uuid, uuid, text, text, text, text[], timestamptz, timestamptz, integer);

-- Keyword search over every kind of memory: for when the vector index is away, and for what must hold a phrase.
--
-- `viewer` is the user who asks, null for an admin: prompts and observations are their owner's. Quotes come as `phrases`; `-m` and OR are words like others.
-- A question is answered by any of its words, ranked by how many and how often: how close they stand (`ts_rank_cd`) finds half as many answers. Scores compare within one answer only.
-- `as_of` shows what was known then: rows that had happened, learnings that were believed.
CREATE FUNCTION search_keyword(
  for_tenant uuid, viewer uuid, question text, types text[], of_project uuid, of_session uuid, not_session uuid, in_namespace text,
  of_kind text, of_tool text, with_tags text[], since timestamptz, until timestamptz, as_of timestamptz, phrases text[], files text[], at_most integer)
  RETURNS TABLE (memory_id uuid, memory_type text, score real, session_id uuid, kind text, tool text)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
#variable_conflict use_column
DECLARE
  wanted tsquery := replace(plainto_tsquery('english', question)::text, '&', '|')::tsquery;
  must tsquery := wanted;
  phrase text;
  part tsquery;
  found_phrase boolean := false;
BEGIN
  FOREACH phrase IN ARRAY coalesce(phrases, '{}') LOOP
    part := phraseto_tsquery('english', phrase);
    -- Of a phrase of stop words, or in a script that is written without blanks, the index knows nothing: the text itself is compared.
    CONTINUE WHEN numnode(part) = 0 OR phrase ~ '[^\u0001-\u024f]';
    must := CASE WHEN found_phrase THEN must && part ELSE part END;
    wanted := wanted || part;
    found_phrase := true;
  END LOOP;
  IF numnode(must) = 0 THEN
    RETURN;
  END IF;
  RETURN QUERY
  SELECT hit.id, hit.memory_type, hit.score, hit.session_id, hit.kind, hit.tool FROM (
    (SELECT o.id, 'observation' AS memory_type, ts_rank(o.search, wanted, 1) AS score, o.session_id, o.type AS kind, o.tool
       FROM observations o JOIN sessions s ON s.id = o.session_id AND s.status <> 'deleted'
      WHERE (types IS NULL OR 'observation' = ANY (types)) AND o.tenant_id = for_tenant AND o.search @@ must
        AND (viewer IS NULL OR o.user_id = viewer) AND (of_project IS NULL OR s.project_id = of_project) AND (of_session IS NULL OR o.session_id = of_session) AND o.session_id IS DISTINCT FROM not_session
        AND (in_namespace IS NULL OR s.namespace = in_namespace) AND (of_kind IS NULL OR o.type = of_kind) AND (of_tool IS NULL OR o.tool = of_tool)
        AND (with_tags IS NULL OR o.tags @> with_tags) AND (since IS NULL OR o.occurred_at >= since) AND (until IS NULL OR o.occurred_at < until)
        AND (as_of IS NULL OR o.occurred_at <= as_of)
        AND (phrases IS NULL OR contains_phrases(o.title || ' ' || o.content, phrases)) AND (files IS NULL OR names_files(o.files_read || o.files_modified, o.title || ' ' || o.content, files))
      ORDER BY score DESC, o.id LIMIT at_most)
    UNION ALL
    (SELECT p.id, 'prompt', ts_rank(p.search, wanted, 1) AS score, p.session_id, p.type, NULL
       FROM prompts p JOIN sessions s ON s.id = p.session_id AND s.status <> 'deleted'
      WHERE (types IS NULL OR 'prompt' = ANY (types)) AND p.tenant_id = for_tenant AND p.search @@ must AND of_tool IS NULL AND with_tags IS NULL
        AND (viewer IS NULL OR p.user_id = viewer) AND (of_project IS NULL OR s.project_id = of_project) AND (of_session IS NULL OR p.session_id = of_session) AND p.session_id IS DISTINCT FROM not_session
        AND (in_namespace IS NULL OR s.namespace = in_namespace) AND (of_kind IS NULL OR p.type = of_kind)
        AND (since IS NULL OR p.occurred_at >= since) AND (until IS NULL OR p.occurred_at < until) AND (as_of IS NULL OR p.occurred_at <= as_of)
        AND (phrases IS NULL OR contains_phrases(p.content, phrases)) AND (files IS NULL OR names_files('{}', p.content, files))
      ORDER BY score DESC, p.id LIMIT at_most)
    UNION ALL
    (SELECT m.id, 'summary', ts_rank(m.search, wanted, 1) AS score, m.session_id, coalesce(m.kind, m.type), NULL
       FROM summaries m JOIN sessions s ON s.id = m.session_id AND s.status <> 'deleted'
      WHERE (types IS NULL OR 'summary' = ANY (types)) AND m.tenant_id = for_tenant AND m.search @@ must AND m.published AND of_tool IS NULL
        AND (of_project IS NULL OR m.project_id = of_project) AND (of_session IS NULL OR m.session_id = of_session) AND m.session_id IS DISTINCT FROM not_session
        AND (in_namespace IS NULL OR s.namespace = in_namespace) AND (of_kind IS NULL OR coalesce(m.kind, m.type) = of_kind)
        AND (with_tags IS NULL OR m.tags @> with_tags) AND (since IS NULL OR m.occurred_at >= since) AND (until IS NULL OR m.occurred_at < until)
        AND (as_of IS NULL OR m.occurred_at <= as_of)
        AND (phrases IS NULL OR contains_phrases(m.title || ' ' || m.content, phrases)) AND (files IS NULL OR names_files(m.files_read || m.files_modified, m.title || ' ' || m.content, files))
      ORDER BY score DESC, m.id LIMIT at_most)
    UNION ALL
    (SELECT l.id, 'learning', ts_rank(l.search, wanted, 1) AS score, l.session_id, l.category, NULL
       FROM learnings l
      WHERE (types IS NULL OR 'learning' = ANY (types)) AND l.tenant_id = for_tenant AND l.search @@ must
        AND (CASE WHEN as_of IS NULL THEN l.valid_to IS NULL ELSE l.valid_from <= as_of AND (l.valid_to IS NULL OR l.valid_to > as_of) END)
         AND (l.reason IS NULL OR l.reason NOT IN ('deleted', 'evidence forgotten')) AND of_tool IS NULL
        AND (of_project IS NULL OR l.project_id = of_project) AND (of_session IS NULL OR l.session_id = of_session) AND (not_session IS NULL OR l.session_id IS DISTINCT FROM not_session)
        AND (in_namespace IS NULL OR l.namespace = in_namespace) AND (of_kind IS NULL OR l.category = of_kind)
        AND (with_tags IS NULL OR l.tags @> with_tags) AND (since IS NULL OR l.valid_from >= since) AND (until IS NULL OR l.valid_from < until)
        AND (phrases IS NULL OR contains_phrases(concat_ws(' ', l.title, l.description, l.context), phrases)) AND (files IS NULL OR names_files('{}', concat_ws(' ', l.title, l.description, l.context), files))
      ORDER BY score DESC, l.id LIMIT at_most)
  ) AS hit
  ORDER BY hit.score DESC, hit.id
  LIMIT at_most;
END
$$;

-- Memories that the vector index does not hold yet, the newest of them, by the share of the question's words that they hold: 0 to 1.
-- `question` has words in scripts with blanks, `pairs` neighbouring characters of the others. At most 120 chunks that wait and 120 rows that
-- no step has taken in are looked at, their first 8,000 characters: beside a flood a search must stay quick. One plan for all values: planning
-- over every month anew took longer than running it.
CREATE FUNCTION search_unindexed(
  for_tenant uuid, viewer uuid, for_model text, question text, pairs text[], types text[], of_project uuid, of_session uuid, not_session uuid, in_namespace text,
  of_kind text, of_tool text, with_tags text[], since timestamptz, until timestamptz, as_of timestamptz, at_most integer)
  RETURNS TABLE (memory_id uuid, memory_type text, score real, session_id uuid, kind text, tool text)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan
  AS $$
#variable_conflict use_column
DECLARE
  lexemes text[] := tsvector_to_array(to_tsvector('english', question));
  total real := cardinality(lexemes) + cardinality(pairs);
  -- Rows that wait longer than a week wait for an operator; the bound lets PostgreSQL look into the right months only.
  least_id uuid := (left(v, 8) || '-' || substr(v, 9, 4) || '-0000-0000-000000000000')::uuid
    FROM lpad(to_hex((extract(epoch FROM now() - interval '7 days') * 1000)::bigint), 12, '0') AS v;
BEGIN
  -- Mostly nothing waits, and then nothing more is looked at.
  IF total = 0 OR NOT (
    EXISTS (SELECT FROM sessions s WHERE s.last_seq > s.consumed_seq AND s.tenant_id = for_tenant)
    OR EXISTS (SELECT FROM embeddings e WHERE e.tenant_id = for_tenant AND e.model = for_model AND e.state = 'pending')) THEN
    RETURN;
  END IF;
  RETURN QUERY
  WITH open_sessions AS MATERIALIZED (
    SELECT s.id, s.consumed_seq FROM sessions s
     WHERE s.last_seq > s.consumed_seq AND s.tenant_id = for_tenant AND (of_session IS NULL OR s.id = of_session) AND s.id IS DISTINCT FROM not_session
     ORDER BY s.last_event_at DESC LIMIT 20
  ), pending AS MATERIALIZED (
    SELECT DISTINCT w.resource_type, w.resource_id FROM (
      SELECT e.resource_type, e.resource_id FROM embeddings e
       WHERE e.tenant_id = for_tenant AND e.model = for_model AND e.state = 'pending' ORDER BY e.id DESC LIMIT 120) AS w
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
  ), told AS (
    SELECT r.id, r.memory_type, r.session_id, r.kind, r.tool, r.body FROM rows r JOIN sessions s ON s.id = r.session_id AND s.status <> 'deleted' AND s.tenant_id = for_tenant
     WHERE (types IS NULL OR r.memory_type = ANY (types)) AND (viewer IS NULL OR r.user_id = viewer) AND (of_project IS NULL OR s.project_id = of_project)
       AND (of_session IS NULL OR r.session_id = of_session) AND r.session_id IS DISTINCT FROM not_session AND (in_namespace IS NULL OR s.namespace = in_namespace) AND (of_kind IS NULL OR r.kind = of_kind)
       AND (of_tool IS NULL OR r.tool = of_tool) AND (with_tags IS NULL OR r.tags @> with_tags)
       AND (since IS NULL OR r.occurred_at >= since) AND (until IS NULL OR r.occurred_at < until) AND (as_of IS NULL OR r.occurred_at <= as_of)
    UNION ALL
    SELECT m.id, 'summary', m.session_id, coalesce(m.kind, m.type), NULL, left(m.title || ' ' || m.content, 8000)
      FROM pending w JOIN summaries m ON m.id = w.resource_id AND m.published JOIN sessions s ON s.id = m.session_id AND s.status <> 'deleted'
     WHERE w.resource_type = 'summary' AND m.tenant_id = for_tenant AND (types IS NULL OR 'summary' = ANY (types)) AND of_tool IS NULL
       AND (of_project IS NULL OR m.project_id = of_project) AND (of_session IS NULL OR m.session_id = of_session) AND m.session_id IS DISTINCT FROM not_session
       AND (in_namespace IS NULL OR s.namespace = in_namespace) AND (of_kind IS NULL OR coalesce(m.kind, m.type) = of_kind)
       AND (with_tags IS NULL OR m.tags @> with_tags) AND (since IS NULL OR m.occurred_at >= since) AND (until IS NULL OR m.occurred_at < until)
       AND (as_of IS NULL OR m.occurred_at <= as_of)
    UNION ALL
    SELECT l.id, 'learning', l.session_id, l.category, NULL, left(concat_ws(' ', l.title, l.description, l.context), 8000)
      FROM pending w JOIN learnings l ON l.id = w.resource_id
     WHERE w.resource_type = 'learning' AND l.tenant_id = for_tenant AND (types IS NULL OR 'learning' = ANY (types)) AND of_tool IS NULL
       AND (CASE WHEN as_of IS NULL THEN l.valid_to IS NULL ELSE l.valid_from <= as_of AND (l.valid_to IS NULL OR l.valid_to > as_of) END)
         AND (l.reason IS NULL OR l.reason NOT IN ('deleted', 'evidence forgotten'))
       AND (of_project IS NULL OR l.project_id = of_project) AND (of_session IS NULL OR l.session_id = of_session) AND (not_session IS NULL OR l.session_id IS DISTINCT FROM not_session)
       AND (in_namespace IS NULL OR l.namespace = in_namespace) AND (of_kind IS NULL OR l.category = of_kind)
       AND (with_tags IS NULL OR l.tags @> with_tags) AND (since IS NULL OR l.valid_from >= since) AND (until IS NULL OR l.valid_from < until)
  ), counted AS (
    SELECT t.id, t.memory_type, t.session_id, t.kind, t.tool, (
      cardinality(ARRAY(SELECT unnest(lexemes) INTERSECT SELECT unnest(tsvector_to_array(to_tsvector('english', t.body)))))
      + (SELECT count(*) FROM unnest(pairs) AS pair WHERE position(pair IN lower(t.body)) > 0)) / total AS share FROM told t
  )
  SELECT DISTINCT ON (c.share, c.id) c.id, c.memory_type, c.share::real, c.session_id, c.kind, c.tool FROM counted c WHERE c.share > 0 ORDER BY c.share DESC, c.id DESC LIMIT at_most;
END
$$;

CREATE INDEX "entities_name_idx" ON "entities" USING GIN ("tenant_id" uuid_ops, "name" gin_trgm_ops);
CREATE INDEX "summaries_title_idx" ON "summaries" USING GIN ("tenant_id" uuid_ops, "title" gin_trgm_ops);
CREATE INDEX "learnings_title_idx" ON "learnings" USING GIN ("tenant_id" uuid_ops, "title" gin_trgm_ops);

-- Entities that bear one of these names, which are in lower case; files also by the end of their path. The weightiest first.
CREATE FUNCTION entities_named(for_tenant uuid, names text[], of_project uuid, in_namespace text, at_most integer) RETURNS SETOF uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  SELECT e.id FROM entities e
   WHERE e.tenant_id = for_tenant AND (of_project IS NULL OR e.project_id = of_project) AND (in_namespace IS NULL OR e.namespace = in_namespace)
     AND (e.name = ANY (names) OR (e.type = 'file' AND e.name LIKE ANY (ARRAY(SELECT '%/' || regexp_replace(name, '([\\%_])', '\\\1', 'g') FROM unnest(names) AS name))))
   ORDER BY e.weight DESC, e.id LIMIT at_most
$$;

-- Completion: what begins with the typed text first, then what has a word that does, then what holds it or is like it.
-- Two characters are completed at the beginning of a name alone. Tags are those of the 300 newest summaries and learnings. Names are the whole
-- tenant's, as they are in its graph: what was said of them is not shown here.
CREATE FUNCTION suggest_texts(for_tenant uuid, typed text, of_project uuid, in_namespace text, at_most integer)
  RETURNS TABLE (text text, kind text, count integer)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
#variable_conflict use_column
DECLARE
  plain text := lower(typed);
  escaped text := regexp_replace(lower(typed), '([\\%_])', '\\\1', 'g');
  anywhere text := CASE WHEN length(typed) < 3 THEN escaped || '%' ELSE '%' || escaped || '%' END;
  alike boolean := length(typed) > 3;
BEGIN
  RETURN QUERY
  WITH found AS (
    (SELECT e.label AS text, CASE e.type WHEN 'file' THEN 'file' ELSE 'entity' END AS kind, e.id AS entity_id, 0 AS seen, e.weight AS weight
       FROM entities e WHERE e.tenant_id = for_tenant AND (of_project IS NULL OR e.project_id = of_project) AND (in_namespace IS NULL OR e.namespace = in_namespace)
        AND (e.name LIKE anywhere OR (alike AND plain <% e.name))
      ORDER BY (lower(e.name) LIKE escaped || '%') DESC, e.weight DESC, e.id LIMIT 30)
    UNION ALL
    (SELECT m.title, 'title', NULL, count(*)::integer, 0
       FROM summaries m WHERE m.tenant_id = for_tenant AND m.published AND (m.title ILIKE anywhere OR (alike AND plain <% m.title)) AND (of_project IS NULL OR m.project_id = of_project)
        AND (in_namespace IS NULL OR EXISTS (SELECT FROM sessions s WHERE s.id = m.session_id AND s.namespace = in_namespace)) GROUP BY m.title
      ORDER BY (m.title ILIKE escaped || '%') DESC, max(m.id::text) DESC LIMIT 15)
    UNION ALL
    (SELECT l.title, 'title', NULL, count(*)::integer, 0
       FROM learnings l WHERE l.tenant_id = for_tenant AND l.valid_to IS NULL AND (l.title ILIKE anywhere OR (alike AND plain <% l.title))
        AND (of_project IS NULL OR l.project_id = of_project) AND (in_namespace IS NULL OR l.namespace = in_namespace) GROUP BY l.title
      ORDER BY (l.title ILIKE escaped || '%') DESC, max(l.id::text) DESC LIMIT 15)
    UNION ALL
    (SELECT t.tag, 'tag', NULL, count(*)::integer, 0 FROM (
       SELECT unnest(n.tags) AS tag FROM (SELECT m.tags FROM summaries m WHERE m.tenant_id = for_tenant AND m.published AND (of_project IS NULL OR m.project_id = of_project)
                                              AND (in_namespace IS NULL OR EXISTS (SELECT FROM sessions s WHERE s.id = m.session_id AND s.namespace = in_namespace)) ORDER BY m.id DESC LIMIT 300) AS n
       UNION ALL
       SELECT unnest(n.tags) FROM (SELECT l.tags FROM learnings l WHERE l.tenant_id = for_tenant AND l.valid_to IS NULL AND (of_project IS NULL OR l.project_id = of_project)
                               AND (in_namespace IS NULL OR l.namespace = in_namespace) ORDER BY l.id DESC LIMIT 300) AS n) AS t
      WHERE t.tag ILIKE anywhere GROUP BY t.tag ORDER BY count(*) DESC LIMIT 15)
  ), shown AS (
    SELECT f.text, f.kind, sum(f.seen)::integer AS seen, min(f.entity_id::text)::uuid AS entity_id, max(f.weight) AS weight,
           CASE WHEN lower(f.text) LIKE escaped || '%' THEN 0 WHEN lower(f.text) ~ ('(^|[^[:alnum:]])' || regexp_replace(plain, '([^[:alnum:][:space:]])', '\\\1', 'g')) THEN 1
                WHEN position(plain IN lower(f.text)) > 0 THEN 2 ELSE 3 END AS place
      FROM found f WHERE f.text <> '' GROUP BY f.text, f.kind
    ORDER BY place, weight DESC, seen DESC, length(f.text), f.text, f.kind LIMIT at_most
  )
  SELECT s.text, s.kind, CASE WHEN s.entity_id IS NULL THEN s.seen
         ELSE (SELECT count(*)::integer FROM (SELECT FROM entity_mentions em WHERE em.entity_id = s.entity_id LIMIT 1000) AS mentions) END
    FROM shown s ORDER BY s.place, s.weight DESC, s.seen DESC, length(s.text), s.text, s.kind;
END
$$;

GRANT SELECT ON "entities", "entity_mentions" TO recollect_definer;
GRANT CREATE ON SCHEMA public TO recollect_definer;
DO $$
DECLARE
  ours regprocedure;
BEGIN
  FOR ours IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname IN ('search_keyword', 'search_unindexed', 'entities_named', 'suggest_texts') LOOP
    EXECUTE format('ALTER FUNCTION %s OWNER TO recollect_definer', ours);
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', ours);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO recollect_app', ours);
  END LOOP;
END
$$;
REVOKE CREATE ON SCHEMA public FROM recollect_definer;
