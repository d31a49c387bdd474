-- Advances a session's positions and inserts its new windows, unless another writer advanced it since they were read. Returns whether it did, and the number
-- of pending and parked windows. `new_windows`: [{from_seq, to_seq, tokens, reason}], numbered from `first_n`. A null phase changes nothing. `settles` ends the session
-- unless something was captured after `to_consumed`; returns whether it did. `index_works`: the tenant's index workflow needs no hint for the `requested` chunks of this step,
-- because older ones were waiting before them and vectors were written in the last seconds. It reads the ledger once more after its last write. Chunks of the same moment count for
-- nothing: two sessions would each leave the hint to the other.
-- Capture locks the rows of its sessions, so every other writer must release them at once: one statement that commits by itself. A worker that defers
-- during a burst would otherwise retain the lock between two round trips, and all captures would wait. Hence SECURITY DEFINER with the tenant as an argument.
CREATE OR REPLACE FUNCTION advance_consumption(for_tenant uuid, for_session uuid, from_consumed integer, from_windowed integer, to_consumed integer, to_windowed integer,
                               first_n integer, new_windows json, new_phase text, new_workflow text, settles boolean, requested integer)
  RETURNS TABLE (advanced boolean, windows_pending integer, windows_parked integer, settled boolean, index_works boolean)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
BEGIN
  UPDATE sessions s
     SET consumed_seq = to_consumed, windowed_seq = to_windowed, updated_at = now(), hinted_at = NULL,
         phase = coalesce(new_phase, s.phase), workflow_id = coalesce(new_workflow, s.workflow_id),
         waiting_reason = CASE WHEN new_phase IS NULL THEN s.waiting_reason END
   WHERE s.id = for_session AND s.tenant_id = for_tenant AND s.consumed_seq = from_consumed AND s.windowed_seq = from_windowed;
  advanced := FOUND;
  IF advanced AND json_array_length(new_windows) > 0 THEN
    INSERT INTO windows (session_id, n, tenant_id, from_seq, to_seq, tokens, reason)
    SELECT for_session, first_n + (w.position - 1)::integer, for_tenant, r.from_seq, r.to_seq, r.tokens, r.reason
      FROM json_array_elements(new_windows) WITH ORDINALITY AS w(item, position)
     CROSS JOIN LATERAL json_to_record(w.item) AS r(from_seq integer, to_seq integer, tokens integer, reason text);
  END IF;
  settled := false;
  IF advanced AND settles THEN
    UPDATE sessions s SET status = 'ended', phase = 'settled', ended_at = s.last_event_at
     WHERE s.id = for_session AND s.tenant_id = for_tenant AND s.last_seq = to_consumed AND s.status IN ('active', 'ended');
    settled := FOUND;
  END IF;
  SELECT count(*) FILTER (WHERE w.state = 'pending'), count(*) FILTER (WHERE w.state = 'parked') INTO windows_pending, windows_parked
    FROM windows w WHERE w.session_id = for_session AND w.tenant_id = for_tenant;
  SELECT count(*) > requested AND EXISTS (SELECT FROM embedding_counts c WHERE c.tenant_id = for_tenant AND c.indexed_at > now() - interval '5 seconds') INTO index_works
    FROM (SELECT FROM embeddings e JOIN embedding_indexes i ON i.tenant_id = e.tenant_id AND i.serving_model = e.model
           WHERE e.tenant_id = for_tenant AND e.state = 'pending' AND e.created_at < now() - interval '2 seconds' LIMIT requested + 1) AS waiting;
  RETURN NEXT;
END
$$;
ALTER FUNCTION advance_consumption OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION advance_consumption FROM PUBLIC;
GRANT EXECUTE ON FUNCTION advance_consumption TO recollect_app;
