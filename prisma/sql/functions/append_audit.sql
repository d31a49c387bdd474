-- Appends a row to the audit log of a tenant; returns its number, null if there is no such tenant. Locks the head of the chain until the commit: a transaction
-- appends for one tenant only, so that two of them cannot wait for each other.
CREATE OR REPLACE FUNCTION append_audit(tenant uuid, actor uuid, credential_kind text, credential_id uuid, action text, subject_type text, subject_id text,
                                        status integer, request_id text, address text, user_agent text)
  RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
DECLARE
  head audit_heads;
  entry audit_log;
BEGIN
  PERFORM FROM tenants WHERE id = tenant;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  SELECT * INTO head FROM audit_heads WHERE tenant_id = tenant FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    INSERT INTO audit_heads (tenant_id) VALUES (tenant) ON CONFLICT DO NOTHING;
    SELECT * INTO head FROM audit_heads WHERE tenant_id = tenant FOR NO KEY UPDATE;
  END IF;
  entry.id := uuidv7();
  entry.tenant_id := tenant;
  entry.seq := head.seq + 1;
  entry.occurred_at := clock_timestamp();
  entry.actor_id := actor;
  entry.credential_kind := credential_kind;
  entry.credential_id := credential_id;
  entry.action := action;
  entry.subject_type := subject_type;
  entry.subject_id := subject_id;
  entry.status := status;
  entry.request_id := request_id;
  entry.address := address;
  entry.user_agent := user_agent;
  entry.salt := gen_random_uuid();
  entry.origin_sha256 := audit_origin(entry);
  entry.previous_hash := head.hash;
  entry.hash := audit_hash(entry);
  INSERT INTO audit_log SELECT entry.*;
  UPDATE audit_heads SET seq = entry.seq, hash = entry.hash WHERE tenant_id = tenant;
  RETURN entry.seq;
END
$$;
ALTER FUNCTION append_audit OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION append_audit FROM PUBLIC;
GRANT EXECUTE ON FUNCTION append_audit TO recollect_app;
