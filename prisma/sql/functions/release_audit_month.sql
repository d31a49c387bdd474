-- Begins the chains of tenants after the last rows of a month, before it is dropped: `ends` are these rows with the actors of the month. Fails with RT001
-- under a legal hold.
CREATE OR REPLACE FUNCTION release_audit_month(ends jsonb, above timestamptz) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
BEGIN
  IF EXISTS (SELECT FROM jsonb_to_recordset(ends) AS e(tenant uuid, actors uuid[])
               JOIN legal_holds h ON h.tenant_id = e.tenant AND h.released_at IS NULL
              WHERE h.subject = 'tenant' OR h.subject = 'user' AND h.subject_id = ANY (e.actors)) THEN
    RAISE EXCEPTION 'a row of this month must be retained' USING ERRCODE = 'RT001';
  END IF;
  UPDATE audit_heads h SET base_seq = e.seq, base_hash = decode(e.hash, 'hex'), base_before = above
    FROM jsonb_to_recordset(ends) AS e(tenant uuid, seq bigint, hash text) WHERE h.tenant_id = e.tenant AND h.base_seq < e.seq;
END
$$;
ALTER FUNCTION release_audit_month OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION release_audit_month FROM PUBLIC;
GRANT EXECUTE ON FUNCTION release_audit_month TO recollect_owner;
