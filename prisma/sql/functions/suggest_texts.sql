-- Completes a typed text: first names and titles that begin with it, then those with a word that begins with it, then those that contain or resemble it.
-- Two characters complete the beginning of a name only. Tags come from the 300 newest summaries and learnings, names from the graph of the tenant. Titles
-- and tags of restricted sessions and users, and names that only they mention, are excluded, and private learnings of others than `viewer` (null: an admin).
CREATE OR REPLACE FUNCTION suggest_texts(for_tenant uuid, viewer uuid, typed text, of_project uuid, in_namespace text, at_most integer)
  RETURNS TABLE (text text, kind text, count integer)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
#variable_conflict use_column
DECLARE
  lower_text text := lower(typed);
  escaped text := regexp_replace(lower(typed), '([\\%_])', '\\\1', 'g');
  anywhere text := CASE WHEN length(typed) < 3 THEN escaped || '%' ELSE '%' || escaped || '%' END;
  by_similarity boolean := length(typed) > 3;
  -- Read once: usually nothing is restricted.
  restricted_users uuid[] := ARRAY(SELECT u.id FROM users u WHERE u.tenant_id = for_tenant AND u.restricted_until > now());
  restricted_sessions uuid[] := ARRAY(SELECT s.id FROM sessions s WHERE s.tenant_id = for_tenant AND s.restricted_until > now());
  has_restricted boolean := cardinality(restricted_users) + cardinality(restricted_sessions) > 0;
BEGIN
  RETURN QUERY
  WITH found AS (
    (SELECT e.label AS text, CASE e.type WHEN 'file' THEN 'file' ELSE 'entity' END AS kind, e.id AS entity_id, 0 AS seen, e.weight AS weight
       FROM entities e WHERE e.tenant_id = for_tenant AND (of_project IS NULL OR e.project_id = of_project) AND (in_namespace IS NULL OR e.namespace = in_namespace)
        AND (e.name LIKE anywhere OR (by_similarity AND lower_text <% e.name))
        AND (NOT has_restricted OR NOT EXISTS (SELECT FROM entity_mentions em WHERE em.entity_id = e.id)
             OR EXISTS (SELECT FROM entity_mentions em JOIN sessions s ON s.id = em.session_id
                         WHERE em.entity_id = e.id AND s.id <> ALL (restricted_sessions) AND s.user_id <> ALL (restricted_users)))
      ORDER BY (lower(e.name) LIKE escaped || '%') DESC, e.weight DESC, e.id LIMIT 30)
    UNION ALL
    (SELECT m.title, 'title', NULL, count(*)::integer, 0
       FROM summaries m WHERE m.tenant_id = for_tenant AND m.published AND m.session_id <> ALL (restricted_sessions) AND m.user_id <> ALL (restricted_users) AND (m.title ILIKE anywhere OR (by_similarity AND lower_text <% m.title)) AND (of_project IS NULL OR m.project_id = of_project)
        AND (in_namespace IS NULL OR EXISTS (SELECT FROM sessions s WHERE s.id = m.session_id AND s.namespace = in_namespace)) GROUP BY m.title
      ORDER BY (m.title ILIKE escaped || '%') DESC, max(m.id::text) DESC LIMIT 15)
    UNION ALL
    (SELECT l.title, 'title', NULL, count(*)::integer, 0
       FROM learnings l WHERE l.tenant_id = for_tenant AND (viewer IS NULL OR l.visibility = 'shared' OR l.user_id = viewer) AND l.valid_to IS NULL AND (l.session_id IS NULL OR l.session_id <> ALL (restricted_sessions)) AND l.user_id <> ALL (restricted_users) AND (l.title ILIKE anywhere OR (by_similarity AND lower_text <% l.title))
        AND (of_project IS NULL OR l.project_id = of_project) AND (in_namespace IS NULL OR l.namespace = in_namespace) GROUP BY l.title
      ORDER BY (l.title ILIKE escaped || '%') DESC, max(l.id::text) DESC LIMIT 15)
    UNION ALL
    (SELECT t.tag, 'tag', NULL, count(*)::integer, 0 FROM (
       SELECT unnest(n.tags) AS tag FROM (SELECT m.tags FROM summaries m WHERE m.tenant_id = for_tenant AND m.published AND m.session_id <> ALL (restricted_sessions) AND m.user_id <> ALL (restricted_users) AND (of_project IS NULL OR m.project_id = of_project)
                                              AND (in_namespace IS NULL OR EXISTS (SELECT FROM sessions s WHERE s.id = m.session_id AND s.namespace = in_namespace)) ORDER BY m.id DESC LIMIT 300) AS n
       UNION ALL
       SELECT unnest(n.tags) FROM (SELECT l.tags FROM learnings l WHERE l.tenant_id = for_tenant AND (viewer IS NULL OR l.visibility = 'shared' OR l.user_id = viewer) AND l.valid_to IS NULL AND (l.session_id IS NULL OR l.session_id <> ALL (restricted_sessions)) AND l.user_id <> ALL (restricted_users) AND (of_project IS NULL OR l.project_id = of_project)
                               AND (in_namespace IS NULL OR l.namespace = in_namespace) ORDER BY l.id DESC LIMIT 300) AS n) AS t
      WHERE t.tag ILIKE anywhere GROUP BY t.tag ORDER BY count(*) DESC LIMIT 15)
  ), ranked AS (
    SELECT f.text, f.kind, sum(f.seen)::integer AS seen, min(f.entity_id::text)::uuid AS entity_id, max(f.weight) AS weight,
           CASE WHEN lower(f.text) LIKE escaped || '%' THEN 0 WHEN lower(f.text) ~ ('(^|[^[:alnum:]])' || regexp_replace(lower_text, '([^[:alnum:][:space:]])', '\\\1', 'g')) THEN 1
                WHEN position(lower_text IN lower(f.text)) > 0 THEN 2 ELSE 3 END AS rank
      FROM found f WHERE f.text <> '' GROUP BY f.text, f.kind
    ORDER BY rank, weight DESC, seen DESC, length(f.text), f.text, f.kind LIMIT at_most
  )
  SELECT s.text, s.kind, CASE WHEN s.entity_id IS NULL THEN s.seen
         ELSE (SELECT count(*)::integer FROM (SELECT FROM entity_mentions em WHERE em.entity_id = s.entity_id LIMIT 1000) AS mentions) END
    FROM ranked s ORDER BY s.rank, s.weight DESC, s.seen DESC, length(s.text), s.text, s.kind;
END
$$;
ALTER FUNCTION suggest_texts OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION suggest_texts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION suggest_texts TO recollect_app;
