-- Appends a batch of events and advances their sessions: one statement for the caller, so one transaction and one round trip.
-- Rows of several tenants travel together (grouped capture), which no policy allows: hence SECURITY DEFINER with the tenant in each event.
--
-- One event of the batch:
--   ord int            place in the batch, unique
--   tenant_id, user_id, host, external_id, namespace, infer
--   project            null or {aliases: [text, …], name, remote}; looked at only when the session is new
--   key                de-duplication key, or null: then `hash` decides, and only against the event right before it in the session
--   hash               hex SHA-256 of the event's content
--   received_at        time of receipt
--   model, metadata    of the session, or null
--   rows               [{kind: prompt | observation | boundary, id, …the columns of that table}]; an event may bring several rows
-- Answer, one line an event: status accepted, duplicate or rejected (the session was deleted); id and seq of its first row, then its session.
CREATE FUNCTION capture_events(batch jsonb)
  RETURNS TABLE (ord integer, status text, row_id uuid, seq integer, session_id uuid)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
#variable_conflict use_column
DECLARE
  fresh record;
  found_project uuid;
  locked uuid[];
BEGIN
  -- Projects of a tenant are made one at a time, so that first sessions at once make one; every tenant is locked before anything is written,
  -- in a fixed order, so that batches which name the same new projects crosswise do not wait for each other.
  PERFORM pg_advisory_xact_lock(hashtextextended(naming.tenant_id::text, 0)) FROM (
    SELECT DISTINCT e.tenant_id
      FROM jsonb_to_recordset(batch) AS e(tenant_id uuid, host text, external_id text, project jsonb)
     WHERE e.project IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.tenant_id = e.tenant_id AND s.host = e.host AND s.external_id = e.external_id)
     ORDER BY e.tenant_id) AS naming;

  -- Sessions that are not there yet, in a fixed order so that two batches never wait for each other crosswise.
  FOR fresh IN
    SELECT DISTINCT ON (e.tenant_id, e.host, e.external_id) e.*
      FROM jsonb_to_recordset(batch) AS e(ord integer, tenant_id uuid, user_id uuid, host text, external_id text, namespace text, infer boolean, project jsonb, received_at timestamptz)
     WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.tenant_id = e.tenant_id AND s.host = e.host AND s.external_id = e.external_id)
     ORDER BY e.tenant_id, e.host, e.external_id, e.ord
  LOOP
    found_project := CASE WHEN fresh.project IS NULL THEN NULL ELSE resolve_project(fresh.tenant_id, fresh.project) END;
    INSERT INTO sessions (id, tenant_id, user_id, project_id, host, external_id, namespace, infer, started_at, last_event_at)
    VALUES (uuidv7(), fresh.tenant_id, fresh.user_id, found_project, fresh.host, fresh.external_id, fresh.namespace, fresh.infer, fresh.received_at, fresh.received_at)
    ON CONFLICT (tenant_id, host, external_id) DO NOTHING;
  END LOOP;

  -- From here on these sessions are ours alone until the commit; the next statement sees what earlier holders wrote.
  SELECT array_agg(s.id) INTO locked FROM (
    SELECT s.id FROM sessions s
     WHERE (s.tenant_id, s.host, s.external_id) IN (
       SELECT e.tenant_id, e.host, e.external_id FROM jsonb_to_recordset(batch) AS e(tenant_id uuid, host text, external_id text))
     ORDER BY s.id
       FOR UPDATE) AS s;

  RETURN QUERY
  WITH event AS MATERIALIZED (
    SELECT e.ord, s.id AS session_id, s.tenant_id, s.user_id, s.status AS session_status, s.last_seq, s.last_row_id, s.last_prompt_id, encode(s.last_hash, 'hex') AS last_hash,
           e.key, e.hash, e.received_at, e.model, e.metadata, e.rows
      FROM jsonb_to_recordset(batch) AS e(ord integer, tenant_id uuid, host text, external_id text, key text, hash text, received_at timestamptz, model text, metadata jsonb, rows jsonb)
      JOIN sessions s ON s.id = ANY (locked) AND s.tenant_id = e.tenant_id AND s.host = e.host AND s.external_id = e.external_id
  ), keyed AS (
    SELECT event.*, known.row_id AS known_row_id, known.seq AS known_seq,
           CASE WHEN event.key IS NULL THEN 1 ELSE row_number() OVER (PARTITION BY event.session_id, event.key ORDER BY event.ord) END AS nth
      FROM event
      LEFT JOIN capture_keys known ON known.session_id = event.session_id AND known.key = event.key
  ), hashed AS (
    SELECT keyed.*, lag(keyed.hash, 1, keyed.last_hash) OVER (PARTITION BY keyed.session_id ORDER BY keyed.ord) AS previous_hash
      FROM keyed
     WHERE keyed.known_row_id IS NULL AND keyed.nth = 1 AND keyed.session_status <> 'deleted'
  ), accepted AS (
    SELECT * FROM hashed WHERE hashed.key IS NOT NULL OR hashed.previous_hash IS DISTINCT FROM hashed.hash
  ), line AS MATERIALIZED (
    SELECT a.ord, a.session_id, a.tenant_id, a.user_id, a.last_prompt_id, a.hash, a.received_at, r.item, r.item ->> 'kind' AS kind, (r.item ->> 'id')::uuid AS id,
           a.last_seq + row_number() OVER w AS seq,
           r.part, coalesce(a.key, 'hash:' || a.hash || '@' || (a.last_seq + row_number() OVER w)) || CASE WHEN r.part > 1 THEN '#' || r.part ELSE '' END AS key,
           count(*) FILTER (WHERE r.item ->> 'kind' = 'prompt' AND r.item ->> 'type' = 'user') OVER w AS prompt_run
      FROM accepted a
     CROSS JOIN LATERAL jsonb_array_elements(a.rows) WITH ORDINALITY AS r(item, part)
    WINDOW w AS (PARTITION BY a.session_id ORDER BY a.ord, r.part)
  ), placed AS MATERIALIZED (
    SELECT line.*, CASE WHEN prompt_run = 0 THEN last_prompt_id ELSE first_value(id) OVER (PARTITION BY session_id, prompt_run ORDER BY seq) END AS prompt_id
      FROM line
  ), new_keys AS (
    INSERT INTO capture_keys (session_id, key, tenant_id, seq, kind, row_id)
    SELECT p.session_id, p.key, p.tenant_id, p.seq, p.kind, p.id FROM placed p
  ), new_prompts AS (
    INSERT INTO prompts (id, tenant_id, session_id, user_id, seq, type, content, sha256, tokens, redactions, occurred_at, created_at)
    SELECT p.id, p.tenant_id, p.session_id, p.user_id, p.seq, r.type, r.content, decode(r.sha256, 'hex'), r.tokens, r.redactions, r.occurred_at, p.received_at
      FROM placed p
     CROSS JOIN LATERAL jsonb_to_record(p.item) AS r(type text, content text, sha256 text, tokens integer, redactions jsonb, occurred_at timestamptz)
     WHERE p.kind = 'prompt'
  ), new_observations AS (
    INSERT INTO observations (id, tenant_id, session_id, user_id, prompt_id, seq, type, event, tool, title, content, preview, input, importance, tags,
                              files_read, files_modified, agent_id, agent_type, key, tokens, duration_ms, redactions, metadata, occurred_at, created_at)
    SELECT p.id, p.tenant_id, p.session_id, p.user_id, p.prompt_id, p.seq, r.type, r.event, r.tool, r.title, r.content, r.preview, r.input, r.importance, coalesce(r.tags, '{}'),
           coalesce(r.files_read, '{}'), coalesce(r.files_modified, '{}'), r.agent_id, r.agent_type, p.key, r.tokens, r.duration_ms, r.redactions, r.metadata, r.occurred_at, p.received_at
      FROM placed p
     CROSS JOIN LATERAL jsonb_to_record(p.item) AS r(type text, event text, tool text, title text, content text, preview text, input jsonb, importance real, tags text[],
       files_read text[], files_modified text[], agent_id text, agent_type text, tokens integer, duration_ms integer, redactions jsonb, metadata jsonb, occurred_at timestamptz)
     WHERE p.kind = 'observation'
  ), new_boundaries AS (
    INSERT INTO boundaries (session_id, seq, id, tenant_id, kind, reason, agent_id, agent_type, occurred_at, created_at)
    SELECT p.session_id, p.seq, p.id, p.tenant_id, r.boundary, r.reason, r.agent_id, r.agent_type, r.occurred_at, p.received_at
      FROM placed p
     CROSS JOIN LATERAL jsonb_to_record(p.item) AS r(boundary text, reason text, agent_id text, agent_type text, occurred_at timestamptz)
     WHERE p.kind = 'boundary'
  ), advance AS (
    SELECT p.session_id, max(p.seq) AS last_seq, count(*) FILTER (WHERE p.kind = 'prompt') AS prompts, count(*) FILTER (WHERE p.kind = 'observation') AS observations,
           coalesce(sum((p.item ->> 'tokens')::integer), 0) AS tokens, max(p.received_at) AS received_at,
           (array_agg(p.prompt_id ORDER BY p.seq DESC))[1] AS last_prompt_id,
           (array_agg(p.hash ORDER BY p.seq DESC))[1] AS last_hash,
           (array_agg(p.id ORDER BY p.seq DESC) FILTER (WHERE p.part = 1))[1] AS last_row_id
      FROM placed p
     GROUP BY p.session_id
  ), described AS (
    SELECT a.session_id, (array_agg(a.model ORDER BY a.ord DESC) FILTER (WHERE a.model IS NOT NULL))[1] AS model,
           (array_agg(a.metadata ORDER BY a.ord DESC) FILTER (WHERE a.metadata IS NOT NULL))[1] AS metadata
      FROM accepted a
     GROUP BY a.session_id
  ), moved AS (
    UPDATE sessions s
       SET last_seq = v.last_seq, last_hash = decode(v.last_hash, 'hex'), last_row_id = v.last_row_id, last_prompt_id = v.last_prompt_id,
           prompt_count = s.prompt_count + v.prompts, observation_count = s.observation_count + v.observations, token_count = s.token_count + v.tokens,
           model = coalesce(d.model, s.model), metadata = s.metadata || coalesce(d.metadata, '{}'),
           last_event_at = greatest(s.last_event_at, v.received_at), updated_at = now(),
           status = 'active', phase = CASE WHEN s.status = 'active' THEN s.phase ELSE 'active' END, ended_at = NULL
      FROM advance v
      JOIN described d ON d.session_id = v.session_id
     WHERE s.id = v.session_id
  )
  SELECT keyed.ord,
         CASE WHEN first_line.id IS NOT NULL THEN 'accepted' WHEN keyed.session_status = 'deleted' THEN 'rejected' ELSE 'duplicate' END,
         coalesce(first_line.id, keyed.known_row_id, twin.id, before.id, CASE WHEN keyed.session_status <> 'deleted' THEN keyed.last_row_id END),
         coalesce(first_line.seq::integer, keyed.known_seq),
         keyed.session_id
    FROM keyed
    LEFT JOIN placed first_line ON first_line.ord = keyed.ord AND first_line.part = 1
    LEFT JOIN placed twin ON keyed.nth > 1 AND twin.session_id = keyed.session_id AND twin.key = keyed.key AND twin.part = 1
    LEFT JOIN LATERAL (
      SELECT p.id FROM placed p WHERE first_line.id IS NULL AND keyed.key IS NULL AND p.session_id = keyed.session_id AND p.ord < keyed.ord AND p.part = 1 ORDER BY p.ord DESC LIMIT 1
    ) AS before ON true
   ORDER BY keyed.ord;
END
$$;

-- The project that any of these aliases names, made from the first alias where none is known. Aliases given later join the project they are found beside.
-- A remote decides: a path that is known leads to a project of another remote for nobody who has a remote himself. The caller holds the tenant's lock.
CREATE FUNCTION resolve_project(for_tenant uuid, project jsonb) RETURNS uuid
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
DECLARE
  aliases text[] := ARRAY(SELECT jsonb_array_elements_text(project -> 'aliases'));
  found uuid;
BEGIN
  IF cardinality(aliases) = 0 THEN
    RETURN NULL;
  END IF;
  SELECT a.project_id INTO found
    FROM unnest(aliases) WITH ORDINALITY AS given(alias, rank)
    JOIN project_aliases a ON a.tenant_id = for_tenant AND a.alias = given.alias
    JOIN projects p ON p.id = a.project_id
   WHERE given.alias LIKE 'remote:%' OR project ->> 'remote' IS NULL OR p.git_remote IS NULL
   ORDER BY given.rank LIMIT 1;
  IF found IS NULL THEN
    found := uuidv7();
    INSERT INTO projects (id, tenant_id, display_name, git_remote) VALUES (found, for_tenant, project ->> 'name', project ->> 'remote');
  ELSE
    UPDATE projects SET git_remote = project ->> 'remote' WHERE id = found AND git_remote IS NULL AND project ->> 'remote' IS NOT NULL;
  END IF;
  INSERT INTO project_aliases (tenant_id, alias, project_id) SELECT for_tenant, alias, found FROM unnest(aliases) AS alias ON CONFLICT DO NOTHING;
  RETURN found;
END
$$;

GRANT CREATE ON SCHEMA public TO recollect_definer;
ALTER FUNCTION capture_events(jsonb) OWNER TO recollect_definer;
ALTER FUNCTION resolve_project(uuid, jsonb) OWNER TO recollect_definer;
REVOKE CREATE ON SCHEMA public FROM recollect_definer;
REVOKE EXECUTE ON FUNCTION capture_events(jsonb), resolve_project(uuid, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION capture_events(jsonb) TO recollect_app;
