-- A session belongs to the user who opened it (docs/adr/0033-session-owner.md). Its host's id names it within that user's sessions alone: events that another
-- user sends under the same id are a session of that user. Tombstones and notes of transcripts belong to the user, too, so that nobody has another
-- user's events refused.

-- The user is the last column, so that a look-up by name alone uses the same index.
DROP INDEX "sessions_tenant_id_host_external_id_key";
CREATE UNIQUE INDEX "sessions_tenant_id_host_external_id_user_id_key" ON "sessions"("tenant_id", "host", "external_id", "user_id");

-- The zero id: a row's tombstone, which names no session, or one of a session whose user is not known any more. It binds every user.
ALTER TABLE "tombstones" ADD COLUMN "user_id" UUID NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
-- The owner of the tables is bound by the policies, too, and would see no row.
ALTER TABLE "tombstones" NO FORCE ROW LEVEL SECURITY;
ALTER TABLE "sessions" NO FORCE ROW LEVEL SECURITY;
ALTER TABLE "transcript_prompts" NO FORCE ROW LEVEL SECURITY;
ALTER TABLE "settings" NO FORCE ROW LEVEL SECURITY;
ALTER TABLE "excluded_sessions" NO FORCE ROW LEVEL SECURITY;
UPDATE "tombstones" t SET user_id = s.user_id FROM "sessions" s WHERE s.tenant_id = t.tenant_id AND s.host = t.host AND s.external_id = t.external_id;
ALTER TABLE "tombstones" DROP CONSTRAINT "tombstones_pkey";
ALTER TABLE "tombstones" ADD CONSTRAINT "tombstones_pkey" PRIMARY KEY ("tenant_id", "host", "external_id", "user_id", "key_sha256");

ALTER TABLE "transcript_prompts" ADD COLUMN "user_id" UUID;
UPDATE "transcript_prompts" t SET user_id = s.user_id FROM "sessions" s WHERE s.id = t.session_id;
ALTER TABLE "transcript_prompts" ALTER COLUMN "user_id" SET NOT NULL;
ALTER TABLE "transcript_prompts" DROP CONSTRAINT "transcript_prompts_pkey";
ALTER TABLE "transcript_prompts" ADD CONSTRAINT "transcript_prompts_pkey" PRIMARY KEY ("tenant_id", "user_id", "uuid");

-- The hash of an excluded session now holds its user. Hashes without one match nothing: the session's next event that names a folder writes a new one.
DELETE FROM "excluded_sessions";

-- A setting's scope says whose it is: rows that do not agree were never read, or were read as another tenant's.
DELETE FROM "settings" WHERE (scope = 'system') <> (tenant_id IS NULL) OR (scope = 'tenant' AND scope_id <> tenant_id::text);
ALTER TABLE "settings" ADD CONSTRAINT "settings_scope_tenant" CHECK ((scope = 'system') = (tenant_id IS NULL) AND (scope <> 'tenant' OR scope_id = tenant_id::text));

ALTER TABLE "tombstones" FORCE ROW LEVEL SECURITY;
ALTER TABLE "sessions" FORCE ROW LEVEL SECURITY;
ALTER TABLE "transcript_prompts" FORCE ROW LEVEL SECURITY;
ALTER TABLE "settings" FORCE ROW LEVEL SECURITY;
ALTER TABLE "excluded_sessions" FORCE ROW LEVEL SECURITY;

-- As in 0011_told_beside, with sessions found by their user, too. Owners and grants of all three functions stay.
CREATE OR REPLACE FUNCTION capture_events(settled boolean, sessions json, projects json, events json, event_keys text[], event_sessions integer[], row_ids uuid[],
                               row_events integer[], row_parts integer[], row_boundary_parts integer[], row_kinds text[], prompts json, observations json,
                               boundaries json)
  RETURNS TABLE (ord integer, status text, row_id uuid, seq integer, session_id uuid, reason text)
  LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = public, pg_temp
  -- The plans are made once, when the tables may be empty: they must not read whole tables later.
  SET plan_cache_mode = force_generic_plan
  SET enable_seqscan = off
  SET enable_hashjoin = off
  SET enable_mergejoin = off
  AS $$
#variable_conflict use_column
DECLARE
  unsettled boolean;
  new_projects jsonb;
  made uuid[];
  -- Of each session of the batch.
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
  -- Of each event.
  e_seq integer[] := '{}';
  e_session integer[] := '{}';
  e_key text[] := '{}';
  e_prompt uuid[] := '{}';
  e_source text[] := '{}';
  e_received timestamptz[] := '{}';
  e_row uuid[] := '{}';
  -- The event that carries a key, by the first one that named it.
  carrier integer[] := '{}';
  known_keys text[];
  known_rows uuid[];
  known_seqs integer[];
  known integer;
  forgotten integer[];
  accepted integer := 0;
  e record;
  s integer;
  kept integer;
  earlier integer;
BEGIN
  -- Is a session new, or does an event say something of its project that is not known? Both are rare.
  IF NOT settled THEN
    SELECT bool_or(known.id IS NULL
                   OR projects IS NOT NULL AND EXISTS (
                     SELECT FROM json_to_recordset(projects) AS told(session integer, aliases jsonb, remote text)
                      WHERE told.session = given.n
                        AND (known.project_id IS NULL
                             OR told.remote IS NOT NULL AND project_is_news(known.tenant_id, known.project_id, told.remote, told.aliases))))
      INTO unsettled
      FROM json_to_recordset(sessions) AS given(n integer, tenant_id uuid, user_id uuid, host text, external_id text)
      LEFT JOIN sessions known ON known.tenant_id = given.tenant_id AND known.host = given.host AND known.external_id = given.external_id AND known.user_id = given.user_id;
    IF unsettled THEN
      SELECT settled.moves, settled.made INTO new_projects, made FROM settle_sessions(sessions, projects) AS settled;
    END IF;
  END IF;

  -- From here on these sessions are ours alone until the commit; the next statement sees what earlier holders wrote.
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
    RAISE EXCEPTION 'a session of the batch is gone' USING ERRCODE = 'RC001';
  END IF;
  IF new_projects IS NOT NULL THEN
    PERFORM move_sessions(new_projects);
  END IF;

  -- Keys that are known, as session, separator, key. Of one session they lie in one partition, which is found before the others are opened.
  IF cardinality(s_id) = 1 THEN
    SELECT array_agg('1' || chr(31) || known.key), array_agg(known.row_id), array_agg(known.seq) INTO known_keys, known_rows, known_seqs
      FROM capture_keys known WHERE known.session_id = s_id[1] AND known.key = ANY (event_keys);
  ELSE
    SELECT array_agg(given.session || chr(31) || known.key), array_agg(known.row_id), array_agg(known.seq) INTO known_keys, known_rows, known_seqs
      FROM unnest(event_keys, event_sessions) AS given(key, session)
      JOIN capture_keys known ON known.session_id = s_id[given.session] AND known.key = given.key;
  END IF;

  FOR e IN
    SELECT given.*, (SELECT EXISTS (SELECT FROM tombstones t WHERE t.tenant_id = ANY (s_tenant))) AS some_forgotten
      FROM json_to_recordset(events) AS given(n integer, session integer, hash text, twin integer, parts integer, boundaries integer, "row" uuid,
             boundary_row uuid, prompts integer, observations integer, tokens integer, user_prompt uuid, received_at timestamptz, source text, model text, metadata jsonb)
     ORDER BY given.n
  LOOP
    IF e.some_forgotten AND forgotten IS NULL THEN
      forgotten := coalesce(forgotten_events(sessions, events, event_keys, prompts), '{}');
    END IF;
    s := e.session;
    ord := e.n;
    session_id := s_id[s];
    reason := NULL;
    earlier := carrier[e.twin];
    known := CASE WHEN known_keys IS NOT NULL THEN array_position(known_keys, s || chr(31) || event_keys[ord]) END;
    kept := CASE WHEN s_capture[s] THEN e.parts ELSE e.boundaries END;
    IF s_status[s] = 'deleted' THEN
      status := 'rejected'; reason := 'deleted'; row_id := NULL; seq := NULL;
    ELSIF ord = ANY (forgotten) THEN
      status := 'rejected'; reason := 'forgotten'; row_id := NULL; seq := NULL;
    ELSIF known IS NOT NULL THEN
      status := 'duplicate'; row_id := known_rows[known]; seq := known_seqs[known];
    ELSIF earlier IS NOT NULL THEN
      status := 'duplicate'; row_id := e_row[earlier]; seq := e_seq[earlier];
    ELSIF kept = 0 THEN
      status := 'rejected'; reason := 'capture_off'; row_id := NULL; seq := NULL;
    ELSIF event_keys[ord] IS NULL AND e.hash = s_hash[s] THEN
      status := 'duplicate'; row_id := s_row[s]; seq := NULL;
    ELSE
      status := 'accepted';
      row_id := CASE WHEN s_capture[s] THEN e."row" ELSE e.boundary_row END;
      seq := s_seq[s] + 1;
      accepted := accepted + 1;
      IF e.twin IS NOT NULL THEN
        carrier[e.twin] := ord;
      END IF;
      e_seq[ord] := seq;
      e_row[ord] := row_id;
      e_session[ord] := s;
      e_key[ord] := coalesce(event_keys[ord], 'hash:' || e.hash || '@' || seq);
      e_source[ord] := e.source;
      e_received[ord] := e.received_at;
      e_prompt[ord] := s_prompt[s];
      s_seq[s] := s_seq[s] + kept;
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
  -- A session that was forgotten as a whole is not begun again.
  IF made IS NOT NULL AND forgotten IS NOT NULL THEN
    UPDATE sessions s SET status = 'deleted'
     WHERE s.id = ANY (made)
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

  UPDATE sessions s
     SET last_seq = v.last_seq, last_hash = decode(v.last_hash, 'hex'), last_row_id = v.last_row_id, last_prompt_id = v.last_prompt_id,
         prompt_count = s.prompt_count + v.prompts, observation_count = s.observation_count + v.observations, token_count = s.token_count + v.tokens,
         model = coalesce(s_model[v.n], s.model), metadata = s.metadata || coalesce(s_metadata[v.n], '{}'),
         last_event_at = v.received_at, updated_at = now(),
         status = 'active', phase = CASE WHEN s.status = 'active' AND s.phase <> 'cancelled' THEN s.phase ELSE 'active' END, ended_at = NULL
    FROM unnest(s_id, s_seq, s_hash, s_row, s_prompt, s_prompts, s_observations, s_tokens, s_received) WITH ORDINALITY
           AS v(id, last_seq, last_hash, last_row_id, last_prompt_id, prompts, observations, tokens, received_at, n)
   WHERE s.id = v.id AND s.last_seq < v.last_seq;
END
$$;

-- As in 0007_capture, by user; a legal hold on a project keeps its sessions in it.
GRANT SELECT ON "legal_holds" TO recollect_definer;
CREATE OR REPLACE FUNCTION settle_sessions(sessions json, projects json, OUT moves jsonb, OUT made uuid[])
  LANGUAGE plpgsql
  AS $$
#variable_conflict use_column
DECLARE
  given record;
  told record;
  found_project uuid;
  fresh uuid;
BEGIN
  -- Projects of a tenant are made one at a time, so that first sessions at once make one; every tenant is locked before anything is written,
  -- in a fixed order, so that batches which name the same new projects crosswise do not wait for each other.
  PERFORM pg_advisory_xact_lock(hashtextextended(naming.tenant_id::text, 0)) FROM (
    SELECT DISTINCT g.tenant_id
      FROM json_to_recordset(projects) AS p(session integer)
      JOIN json_to_recordset(sessions) AS g(n integer, tenant_id uuid) ON g.n = p.session
     ORDER BY g.tenant_id) AS naming;

  -- In a fixed order, so that two batches never wait for each other's new sessions crosswise. Sessions that are there already are not written before
  -- they are locked, in their own order.
  FOR given IN
    SELECT g.*, s.id, s.project_id
      FROM json_to_recordset(sessions) AS g(n integer, tenant_id uuid, user_id uuid, host text, external_id text, namespace text, infer boolean, received_at timestamptz)
      LEFT JOIN sessions s ON s.tenant_id = g.tenant_id AND s.host = g.host AND s.external_id = g.external_id AND s.user_id = g.user_id
     ORDER BY g.tenant_id, g.host, g.external_id, g.user_id
  LOOP
    found_project := given.project_id;
    FOR told IN
      SELECT p.project FROM (SELECT value AS project, ordinality AS n FROM json_array_elements(projects) WITH ORDINALITY) AS p
       WHERE (p.project ->> 'session')::integer = given.n ORDER BY p.n
    LOOP
      IF found_project IS NULL THEN
        found_project := resolve_project(given.tenant_id, told.project::jsonb);
      ELSIF told.project ->> 'remote' IS NOT NULL
            AND project_is_news(given.tenant_id, found_project, told.project ->> 'remote', (told.project -> 'aliases')::jsonb) THEN
        found_project := join_project(given.tenant_id, found_project, told.project::jsonb);
      END IF;
    END LOOP;
    IF given.id IS NULL THEN
      INSERT INTO sessions (id, tenant_id, user_id, project_id, host, external_id, namespace, infer, started_at, last_event_at)
      VALUES (uuidv7(), given.tenant_id, given.user_id, found_project, given.host, given.external_id, given.namespace, given.infer, given.received_at, given.received_at)
      ON CONFLICT (tenant_id, host, external_id, user_id) DO NOTHING
      RETURNING sessions.id INTO fresh;
      made := made || fresh;
    -- A session of a project under a legal hold stays there: in another one the hold would bind it no more.
    ELSIF found_project IS DISTINCT FROM given.project_id AND NOT EXISTS (
            SELECT FROM legal_holds h WHERE h.tenant_id = given.tenant_id AND h.subject = 'project' AND h.subject_id = given.project_id AND h.released_at IS NULL) THEN
      moves := coalesce(moves, '[]') || jsonb_build_object('id', given.id, 'project_id', found_project);
    END IF;
  END LOOP;
END
$$;

-- As in 0007_capture: the tombstones of the session's user, and those that bind every user.
CREATE OR REPLACE FUNCTION forgotten_events(sessions json, events json, event_keys text[], prompts json) RETURNS integer[]
  LANGUAGE sql STABLE
  AS $$
  SELECT array_agg(DISTINCT e.n)
    FROM json_to_recordset(sessions) AS s(n integer, tenant_id uuid, user_id uuid, host text, external_id text)
    JOIN json_to_recordset(events) AS e(n integer, session integer, hash text) ON e.session = s.n
    LEFT JOIN json_to_recordset(prompts) AS p(n integer, sha256 text) ON p.n = e.n
    JOIN tombstones t ON t.tenant_id = s.tenant_id AND t.host = s.host AND t.external_id = s.external_id AND t.user_id IN (s.user_id, '00000000-0000-0000-0000-000000000000')
     AND t.key_sha256 IN (sha256('session'), sha256(convert_to('key:' || coalesce(event_keys[e.n], 'hash:' || e.hash), 'UTF8')),
                          sha256(convert_to('content:' || p.sha256, 'UTF8')))
$$;
