-- Updates the phase of a session, in one statement for the reason in advance_consumption. `keep_error`: does not change the last error.
CREATE OR REPLACE FUNCTION update_session_phase(for_tenant uuid, for_session uuid, new_phase text, new_waiting_reason text, new_error text, keep_error boolean, new_workflow text)
  RETURNS void
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  UPDATE sessions s
     SET phase = new_phase, waiting_reason = new_waiting_reason, last_error = CASE WHEN keep_error THEN s.last_error ELSE new_error END,
         workflow_id = new_workflow, updated_at = now()
   WHERE s.id = for_session AND s.tenant_id = for_tenant AND s.status <> 'deleted'
$$;
ALTER FUNCTION update_session_phase OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION update_session_phase FROM PUBLIC;
GRANT EXECUTE ON FUNCTION update_session_phase TO recollect_app;
