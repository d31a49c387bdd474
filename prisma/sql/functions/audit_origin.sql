-- Returns the commitment to the address and the user agent of a row of the audit log: both can be erased without a change of the row's hash.
-- Immutable parts only, as in audit_hash: PostgreSQL then expands the call where it is used.
CREATE OR REPLACE FUNCTION audit_origin(entry audit_log) RETURNS bytea
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$
  SELECT sha256(convert_to(entry.salt::text
    || coalesce(octet_length(entry.address)::text || ':' || entry.address, '-')
    || coalesce(octet_length(entry.user_agent)::text || ':' || entry.user_agent, '-'), 'UTF8'))
$$;
