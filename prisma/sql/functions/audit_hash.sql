-- Returns the hash of a row of the audit log: SHA-256 of the previous hash and the fields, each as its bytes, a colon and its text, or `-` for null.
CREATE OR REPLACE FUNCTION audit_hash(entry audit_log) RETURNS bytea
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$
  SELECT sha256(entry.previous_hash || entry.origin_sha256 || convert_to(
    '36:' || entry.tenant_id::text || octet_length(entry.seq::text)::text || ':' || entry.seq::text || '36:' || entry.id::text
    -- Microseconds since 1970.
    || '16:' || lpad((extract(epoch FROM entry.occurred_at) * 1000000)::bigint::text, 16, '0')
    || coalesce('36:' || entry.actor_id::text, '-') || coalesce(octet_length(entry.credential_kind)::text || ':' || entry.credential_kind, '-')
    || coalesce('36:' || entry.credential_id::text, '-')
    || octet_length(entry.action)::text || ':' || entry.action
    || coalesce(octet_length(entry.subject_type)::text || ':' || entry.subject_type, '-')
    || coalesce(octet_length(entry.subject_id)::text || ':' || entry.subject_id, '-')
    || octet_length(entry.status::text)::text || ':' || entry.status::text
    || octet_length(entry.request_id)::text || ':' || entry.request_id, 'UTF8'))
$$;
