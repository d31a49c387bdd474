-- Appends a batch of events and advances their sessions: one statement for the caller, so one transaction and one round trip.
-- Group commit sends rows of several tenants together, which no policy allows: hence SECURITY DEFINER with the tenant in each session.
--
-- Each parameter is parsed once, and the columns of a row are read where it is inserted: parsing costs more than inserting.
-- Sessions and events are named by their position in the batch, from 1.
--
--   sessions_known the caller sent these sessions with these projects before: the function does not look them up, and fails with RC001 if one is
--                  missing; the caller then repeats the call with false
--   sessions       [{n, tenant_id, user_id, host, external_id, namespace, infer, received_at}], each session of the batch once
--   projects       null, or [{session, aliases: [text, …], name, remote}]: the projects that the events name for their session, in order
--   events         [{n, session, hash, twin, parts, boundaries, row, boundary_row, prompts, observations, tokens, user_prompt, received_at,
--                    source, model, metadata, mark}]
--                    twin         the first event of the batch with this session and key; null without a key
--                    parts        number of rows; `boundaries`, `prompts` and `observations` are counts, too
--                    row          id of its first row; `boundary_row`: of its first boundary
--                    user_prompt  id of its last prompt of the user
--                    mark         trace id, span id and flags of the span that captures it, in hex; missing unless it is traced
--   event_keys, event_sessions
--                  parallel arrays: the de-duplication key of each event, or null (then `hash` decides, and only against the previous event of the
--                  session), and its session
--   row_ids, …     parallel arrays, one entry a row: id, event, part (position in its event, from 1), boundary part (position among its boundaries,
--                  or 0), kind
--   prompts, observations, boundaries
--                  the rows by kind, or null: [{event, part, …the columns of that table}]
--
-- Returns one row an event: status accepted, duplicate or rejected with `reason` (deleted, forgotten, capture_off); id and seq of its first row, of
-- the earlier row for a duplicate; its session. If capture is off for a session, a boundary is stored without metadata and all other rows are rejected.
-- The functions project_needs_update, prepare_sessions, join_project, resolve_project, move_sessions and find_forgotten_events are steps of this one: they run with
-- its rights and on its search path, and no other role may call them.
CREATE OR REPLACE FUNCTION capture_events(sessions_known boolean, sessions json, projects json, events json, event_keys text[], event_sessions integer[], row_ids uuid[],
                               row_events integer[], row_parts integer[], row_boundary_parts integer[], row_kinds text[], prompts json, observations json,
                               boundaries json)
  RETURNS TABLE (ord integer, status text, row_id uuid, seq integer, session_id uuid, reason text)
  LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = public, pg_temp
  -- The plans are made once, when the tables may be empty: they must not scan tables later.
  SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off
  SET enable_hashjoin = off
  SET enable_mergejoin = off
  AS $$
#variable_conflict use_column
DECLARE
  incomplete boolean;
  new_projects jsonb;
  created uuid[];
  -- One element per session of the batch.
  s_id uuid[];
  s_tenant uuid[];
  s_user uuid[];
  s_status text[];
  s_capture boolean[];
  s_seq integer[];
  s_hash text[];
  s_row uuid[];
  s_prompt uuid[];
  s_prompts integer[];
  s_observations integer[];
  s_tokens integer[];
  s_received timestamptz[];
  s_model text[];
  s_metadata jsonb[];
  -- One element per event.
  e_seq integer[] := '{}';
  e_session integer[] := '{}';
  e_key text[] := '{}';
  e_prompt uuid[] := '{}';
  e_source text[] := '{}';
  e_received timestamptz[] := '{}';
  e_row uuid[] := '{}';
  e_mark text[] := '{}';
  -- The accepted event of a key, by the first event with that key.
  accepted_as integer[] := '{}';
  known_keys text[];
  known_rows uuid[];
  known_seqs integer[];
  known integer;
  forgotten integer[];
  accepted integer := 0;
  e record;
  s integer;
  row_count integer;
  earlier integer;
BEGIN
  -- A new session, or an event with new data on its project: both are rare.
  IF NOT sessions_known THEN
    SELECT bool_or(known.id IS NULL
                   OR projects IS NOT NULL AND EXISTS (
                     SELECT FROM json_to_recordset(projects) AS named(session integer, aliases jsonb, remote text)
                      WHERE named.session = given.n
                        AND (known.project_id IS NULL
                             OR named.remote IS NOT NULL AND project_needs_update(known.tenant_id, known.project_id, named.remote, named.aliases))))
      INTO incomplete
      FROM json_to_recordset(sessions) AS given(n integer, tenant_id uuid, user_id uuid, host text, external_id text)
      LEFT JOIN sessions known ON known.tenant_id = given.tenant_id AND known.host = given.host AND known.external_id = given.external_id AND known.user_id = given.user_id;
    IF incomplete THEN
      SELECT prepared.moves, prepared.created INTO new_projects, created FROM prepare_sessions(sessions, projects) AS prepared;
    END IF;
  END IF;

  -- Locks the sessions until the commit; the next statement sees what earlier transactions wrote.
  SELECT array_agg(l.id ORDER BY l.n), array_agg(l.tenant_id ORDER BY l.n), array_agg(l.user_id ORDER BY l.n), array_agg(l.status ORDER BY l.n),
         array_agg(l.capture ORDER BY l.n), array_agg(l.last_seq ORDER BY l.n), array_agg(encode(l.last_hash, 'hex') ORDER BY l.n),
         array_agg(l.last_row_id ORDER BY l.n), array_agg(l.last_prompt_id ORDER BY l.n), array_agg(l.last_event_at ORDER BY l.n),
         array_agg(0 ORDER BY l.n), array_agg(0 ORDER BY l.n), array_agg(0 ORDER BY l.n)
    INTO s_id, s_tenant, s_user, s_status, s_capture, s_seq, s_hash, s_row, s_prompt, s_received, s_prompts, s_observations, s_tokens
    FROM (
      SELECT given.n, s.id, s.tenant_id, s.user_id, s.status, s.capture, s.last_seq, s.last_hash, s.last_row_id, s.last_prompt_id, s.last_event_at
        FROM json_to_recordset(sessions) AS given(n integer, tenant_id uuid, user_id uuid, host text, external_id text)
        JOIN sessions s ON s.tenant_id = given.tenant_id AND s.host = given.host AND s.external_id = given.external_id AND s.user_id = given.user_id
       ORDER BY s.id
         FOR NO KEY UPDATE OF s) AS l;

  IF cardinality(s_id) IS DISTINCT FROM json_array_length(sessions) THEN
    RAISE EXCEPTION 'a session of the batch does not exist' USING ERRCODE = 'RC001';
  END IF;
  IF new_projects IS NOT NULL THEN
    PERFORM move_sessions(new_projects);
  END IF;

  -- Known keys, as session, separator, key. The keys of one session are in one partition: a constant session id lets the planner open it alone.
  IF cardinality(s_id) = 1 THEN
    SELECT array_agg('1' || chr(31) || known.key), array_agg(known.row_id), array_agg(known.seq) INTO known_keys, known_rows, known_seqs
      FROM capture_keys known WHERE known.session_id = s_id[1] AND known.key = ANY (event_keys);
  ELSE
    SELECT array_agg(given.session || chr(31) || known.key), array_agg(known.row_id), array_agg(known.seq) INTO known_keys, known_rows, known_seqs
      FROM unnest(event_keys, event_sessions) AS given(key, session)
      JOIN capture_keys known ON known.session_id = s_id[given.session] AND known.key = given.key;
  END IF;

  FOR e IN
    SELECT given.*, (SELECT EXISTS (SELECT FROM tombstones t WHERE t.tenant_id = ANY (s_tenant))) AS has_tombstones
      FROM json_to_recordset(events) AS given(n integer, session integer, hash text, twin integer, parts integer, boundaries integer, "row" uuid,
             boundary_row uuid, prompts integer, observations integer, tokens integer, user_prompt uuid, received_at timestamptz, source text, model text, metadata jsonb, mark text)
     ORDER BY given.n
  LOOP
    IF e.has_tombstones AND forgotten IS NULL THEN
      forgotten := coalesce(find_forgotten_events(sessions, events, event_keys, prompts), '{}');
    END IF;
    s := e.session;
    ord := e.n;
    session_id := s_id[s];
    reason := NULL;
    earlier := accepted_as[e.twin];
    known := CASE WHEN known_keys IS NOT NULL THEN array_position(known_keys, s || chr(31) || event_keys[ord]) END;
    row_count := CASE WHEN s_capture[s] THEN e.parts ELSE e.boundaries END;
    IF s_status[s] = 'deleted' THEN
      status := 'rejected'; reason := 'deleted'; row_id := NULL; seq := NULL;
    ELSIF ord = ANY (forgotten) THEN
      status := 'rejected'; reason := 'forgotten'; row_id := NULL; seq := NULL;
    ELSIF known IS NOT NULL THEN
      status := 'duplicate'; row_id := known_rows[known]; seq := known_seqs[known];
    ELSIF earlier IS NOT NULL THEN
      status := 'duplicate'; row_id := e_row[earlier]; seq := e_seq[earlier];
    ELSIF row_count = 0 THEN
      status := 'rejected'; reason := 'capture_off'; row_id := NULL; seq := NULL;
    ELSIF event_keys[ord] IS NULL AND e.hash = s_hash[s] THEN
      status := 'duplicate'; row_id := s_row[s]; seq := NULL;
    ELSE
      status := 'accepted';
      row_id := CASE WHEN s_capture[s] THEN e."row" ELSE e.boundary_row END;
      seq := s_seq[s] + 1;
      accepted := accepted + 1;
      IF e.twin IS NOT NULL THEN
        accepted_as[e.twin] := ord;
      END IF;
      e_seq[ord] := seq;
      e_row[ord] := row_id;
      e_session[ord] := s;
      e_key[ord] := coalesce(event_keys[ord], 'hash:' || e.hash || '@' || seq);
      e_source[ord] := e.source;
      e_received[ord] := e.received_at;
      e_prompt[ord] := s_prompt[s];
      IF e.mark IS NOT NULL THEN
        e_mark[ord] := e.mark;
      END IF;
      s_seq[s] := s_seq[s] + row_count;
      s_hash[s] := e.hash;
      s_row[s] := row_id;
      IF e.received_at > s_received[s] THEN
        s_received[s] := e.received_at;
      END IF;
      IF s_capture[s] THEN
        IF e.user_prompt IS NOT NULL THEN
          s_prompt[s] := e.user_prompt;
        END IF;
        s_prompts[s] := s_prompts[s] + e.prompts;
        s_observations[s] := s_observations[s] + e.observations;
        s_tokens[s] := s_tokens[s] + e.tokens;
      END IF;
      IF e.model IS NOT NULL THEN
        s_model[s] := e.model;
      END IF;
      IF e.metadata IS NOT NULL THEN
        s_metadata[s] := coalesce(s_metadata[s], '{}') || e.metadata;
      END IF;
    END IF;
    RETURN NEXT;
  END LOOP;
  -- A forgotten session is not created again.
  IF created IS NOT NULL AND forgotten IS NOT NULL THEN
    UPDATE sessions s SET status = 'deleted'
     WHERE s.id = ANY (created)
       AND EXISTS (SELECT FROM tombstones t WHERE t.tenant_id = s.tenant_id AND t.host = s.host AND t.external_id = s.external_id AND t.key_sha256 = sha256('session')
                     AND t.user_id IN (s.user_id, '00000000-0000-0000-0000-000000000000'));
  END IF;
  IF accepted = 0 THEN
    RETURN;
  END IF;

  INSERT INTO capture_keys (session_id, key, tenant_id, seq, kind, row_id, source)
  SELECT s_id[e_session[r.event]], e_key[r.event] || CASE WHEN r.place > 1 THEN chr(31) || r.place ELSE '' END, s_tenant[e_session[r.event]],
         e_seq[r.event] + r.place - 1, r.kind, r.id, e_source[r.event]
    FROM (SELECT k.id, k.event, k.kind, CASE WHEN s_capture[e_session[k.event]] THEN k.part ELSE k.boundary_part END AS place
            FROM unnest(row_ids, row_events, row_parts, row_boundary_parts, row_kinds) AS k(id, event, part, boundary_part, kind)
           WHERE e_seq[k.event] > 0) AS r
   WHERE r.place > 0;

  IF e_mark <> '{}' THEN
    INSERT INTO trace_marks (session_id, seq, tenant_id, mark)
    SELECT s_id[e_session[r.event]], e_seq[r.event] + r.place - 1, s_tenant[e_session[r.event]], decode(e_mark[r.event], 'hex')
      FROM (SELECT k.event, CASE WHEN s_capture[e_session[k.event]] THEN k.part ELSE k.boundary_part END AS place
              FROM unnest(row_events, row_parts, row_boundary_parts) AS k(event, part, boundary_part)
             WHERE e_mark[k.event] IS NOT NULL) AS r
     WHERE r.place > 0;
  END IF;

  IF observations IS NOT NULL THEN
    INSERT INTO observations (id, tenant_id, session_id, user_id, prompt_id, seq, type, event, tool, title, content, preview, input, importance, tags,
                              files_read, files_modified, agent_id, agent_type, key, tokens, duration_ms, data_class, redactions, metadata, occurred_at, created_at)
    SELECT r.id, s_tenant[e_session[r.n]], s_id[e_session[r.n]], s_user[e_session[r.n]], coalesce(r.prompt_id, e_prompt[r.n]), e_seq[r.n] + r.part - 1,
           r.type, r.event, r.tool, r.title, r.content, r.preview, r.input, r.importance, coalesce(r.tags, '{}'), coalesce(r.files_read, '{}'),
           coalesce(r.files_modified, '{}'), r.agent_id, r.agent_type, e_key[r.n] || CASE WHEN r.part > 1 THEN chr(31) || r.part ELSE '' END, r.tokens,
           r.duration_ms, coalesce(r.data_class, 'internal'), r.redactions, r.metadata, r.occurred_at, e_received[r.n]
      FROM json_to_recordset(observations) AS r(n integer, part integer, id uuid, prompt_id uuid, type text, event text, tool text, title text, content text,
             preview text, input jsonb, importance real, tags text[], files_read text[], files_modified text[], agent_id text, agent_type text,
             tokens integer, duration_ms integer, data_class text, redactions jsonb, metadata jsonb, occurred_at timestamptz)
     WHERE e_seq[r.n] > 0 AND s_capture[e_session[r.n]];
  END IF;
  IF prompts IS NOT NULL THEN
    INSERT INTO prompts (id, tenant_id, session_id, user_id, seq, type, content, sha256, tokens, agent_id, agent_type, data_class, redactions, metadata,
                         occurred_at, created_at)
    SELECT r.id, s_tenant[e_session[r.n]], s_id[e_session[r.n]], s_user[e_session[r.n]], e_seq[r.n] + r.part - 1, r.type, r.content, decode(r.sha256, 'hex'), r.tokens,
           r.agent_id, r.agent_type, coalesce(r.data_class, 'internal'), r.redactions, r.metadata, r.occurred_at, e_received[r.n]
      FROM json_to_recordset(prompts) AS r(n integer, part integer, id uuid, type text, content text, sha256 text, tokens integer, agent_id text, agent_type text,
             data_class text, redactions jsonb, metadata jsonb, occurred_at timestamptz)
     WHERE e_seq[r.n] > 0 AND s_capture[e_session[r.n]];
  END IF;
  IF boundaries IS NOT NULL THEN
    INSERT INTO boundaries (session_id, seq, id, tenant_id, kind, reason, agent_id, agent_type, metadata, occurred_at, created_at)
    SELECT s_id[e_session[r.n]], e_seq[r.n] - 1 + CASE WHEN s_capture[e_session[r.n]] THEN r.part ELSE r.boundary_part END, r.id, s_tenant[e_session[r.n]],
           r.boundary, r.reason, r.agent_id, r.agent_type, CASE WHEN s_capture[e_session[r.n]] THEN r.metadata END, r.occurred_at, e_received[r.n]
      FROM json_to_recordset(boundaries) AS r(n integer, part integer, boundary_part integer, id uuid, boundary text, reason text, agent_id text, agent_type text,
             metadata jsonb, occurred_at timestamptz)
     WHERE e_seq[r.n] > 0;
  END IF;

  WITH advanced AS (
    UPDATE sessions s
       SET last_seq = v.last_seq, last_hash = decode(v.last_hash, 'hex'), last_row_id = v.last_row_id, last_prompt_id = v.last_prompt_id,
           prompt_count = s.prompt_count + v.prompts, observation_count = s.observation_count + v.observations, token_count = s.token_count + v.tokens,
           model = coalesce(s_model[v.n], s.model), metadata = s.metadata || coalesce(s_metadata[v.n], '{}'),
           last_event_at = v.received_at, updated_at = now(),
           status = 'active', phase = CASE WHEN s.status = 'active' AND s.phase <> 'cancelled' THEN s.phase ELSE 'active' END, ended_at = NULL
      FROM unnest(s_id, s_seq, s_hash, s_row, s_prompt, s_prompts, s_observations, s_tokens, s_received) WITH ORDINALITY
             AS v(id, last_seq, last_hash, last_row_id, last_prompt_id, prompts, observations, tokens, received_at, n)
     WHERE s.id = v.id AND s.last_seq < v.last_seq
    RETURNING s.id, s.tenant_id, s.user_id, s.project_id, s.namespace, old.last_seq + 1 AS first_seq, s.last_seq, v.prompts, v.observations)
  INSERT INTO stream_events (tenant_id, type, user_id, private, project_id, namespace, session_id, data)
  SELECT a.tenant_id, CASE WHEN a.observations > 0 THEN 'observation.added' ELSE 'session.updated' END, a.user_id, a.observations > 0, a.project_id, a.namespace, a.id,
         jsonb_build_object('first_seq', a.first_seq, 'last_seq', a.last_seq, 'prompts', a.prompts, 'observations', a.observations)
    FROM advanced a;
END
$$;
ALTER FUNCTION capture_events OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION capture_events FROM PUBLIC;
GRANT EXECUTE ON FUNCTION capture_events TO recollect_app;
