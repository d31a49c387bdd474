-- Updates the phase of a session, in one statement for the reason in advance_consumption. `keep_error`: the last error stays.
CREATE OR REPLACE FUNCTION update_session_phase(for_tenant uuid, for_session uuid, shown_phase text, shown_waiting text, shown_error text, keep_error boolean, shown_workflow text)
  RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  UPDATE sessions s
     SET phase = shown_phase, waiting_reason = shown_waiting, last_error = CASE WHEN keep_error THEN s.last_error ELSE shown_error END,
         workflow_id = shown_workflow, updated_at = now()
   WHERE s.id = for_session AND s.tenant_id = for_tenant AND s.status <> 'deleted'
$$;
ALTER FUNCTION update_session_phase OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION update_session_phase FROM PUBLIC;
GRANT EXECUTE ON FUNCTION update_session_phase TO recollect_app;
