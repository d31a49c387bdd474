-- Capture locks the rows of the sessions that it writes to. Whoever else writes to them must let go at once: a worker that stands back for
-- others on a busy machine would keep a lock from one round trip to the next, and everybody's captures waiting with it. So what a worker writes
-- to a live session is one statement that commits by itself; hence SECURITY DEFINER with the tenant as an argument.

-- Moves a session's positions on and writes the windows that were cut, if nobody else moved it since they were read; answers whether, and how
-- many windows wait and are parked then. `cut`: [{from_seq, to_seq, tokens, reason}], numbered from `first_n`. A phase is shown where one is given.
CREATE FUNCTION advance_consumption(for_tenant uuid, for_session uuid, from_consumed integer, from_windowed integer, to_consumed integer, to_windowed integer,
                               first_n integer, cut json, shown_phase text, shown_workflow text)
  RETURNS TABLE (moved boolean, windows_cut integer, windows_parked integer)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
BEGIN
  UPDATE sessions s
     SET consumed_seq = to_consumed, windowed_seq = to_windowed, updated_at = now(),
         phase = coalesce(shown_phase, s.phase), workflow_id = coalesce(shown_workflow, s.workflow_id),
         waiting_reason = CASE WHEN shown_phase IS NULL THEN s.waiting_reason END
   WHERE s.id = for_session AND s.tenant_id = for_tenant AND s.consumed_seq = from_consumed AND s.windowed_seq = from_windowed;
  moved := FOUND;
  IF moved AND json_array_length(cut) > 0 THEN
    INSERT INTO windows (session_id, n, tenant_id, from_seq, to_seq, tokens, reason)
    SELECT for_session, first_n + (w.place - 1)::integer, for_tenant, r.from_seq, r.to_seq, r.tokens, r.reason
      FROM json_array_elements(cut) WITH ORDINALITY AS w(item, place)
     CROSS JOIN LATERAL json_to_record(w.item) AS r(from_seq integer, to_seq integer, tokens integer, reason text);
  END IF;
  SELECT count(*) FILTER (WHERE w.state = 'cut'), count(*) FILTER (WHERE w.state = 'parked') INTO windows_cut, windows_parked
    FROM windows w WHERE w.session_id = for_session AND w.tenant_id = for_tenant;
  RETURN NEXT;
END
$$;

-- Shows where a session's workflow stands. `keep_error`: the last error stays as it is.
CREATE FUNCTION update_session_phase(for_tenant uuid, for_session uuid, shown_phase text, shown_waiting text, shown_error text, keep_error boolean, shown_workflow text)
  RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  UPDATE sessions s
     SET phase = shown_phase, waiting_reason = shown_waiting, last_error = CASE WHEN keep_error THEN s.last_error ELSE shown_error END,
         workflow_id = shown_workflow, updated_at = now()
   WHERE s.id = for_session AND s.tenant_id = for_tenant AND s.status <> 'deleted'
$$;

GRANT SELECT, INSERT ON "windows" TO recollect_definer;
GRANT CREATE ON SCHEMA public TO recollect_definer;
ALTER FUNCTION advance_consumption(uuid, uuid, integer, integer, integer, integer, integer, json, text, text) OWNER TO recollect_definer;
ALTER FUNCTION update_session_phase(uuid, uuid, text, text, text, boolean, text) OWNER TO recollect_definer;
REVOKE CREATE ON SCHEMA public FROM recollect_definer;
REVOKE EXECUTE ON FUNCTION advance_consumption(uuid, uuid, integer, integer, integer, integer, integer, json, text, text),
  update_session_phase(uuid, uuid, text, text, text, boolean, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION advance_consumption(uuid, uuid, integer, integer, integer, integer, integer, json, text, text),
  update_session_phase(uuid, uuid, text, text, text, boolean, text) TO recollect_app;

-- An index whose columns change with every capture makes every capture write all indexes of the session anew. Sessions that are live are few, and
-- the sweep looks at those alone; the room in each page is for new versions of their rows.
DROP INDEX "sessions_unconsumed_idx";
CREATE INDEX "sessions_active_idx" ON "sessions"("id") WHERE (status = 'active');
ALTER TABLE "sessions" SET (fillfactor = 60);

-- Words are filled in later: a row without them needs no place in the index for words.
DROP INDEX "prompts_search_idx";
CREATE INDEX "prompts_search_idx" ON "prompts" USING GIN ("tenant_id" uuid_ops, "search") WHERE (search IS NOT NULL);
DROP INDEX "observations_search_idx";
CREATE INDEX "observations_search_idx" ON "observations" USING GIN ("tenant_id" uuid_ops, "search") WHERE (search IS NOT NULL);
