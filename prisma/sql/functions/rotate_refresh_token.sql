-- Replaces a refresh token by the next one of its session, under the lock of the session, so that of concurrent requests one rotates. Outcomes:
--   rotated   the token was current; `next` is stored
--   repeated  the token was used within `grace_s` seconds and its successor was not: the answer was lost; `next_sha256` is the stored successor
--   reused    the token was used before: two parties have it, so the session ends
--   ended     the session has ended, or the user or tenant is not active
--   unknown   there is no such token, or the session was given to a browser
CREATE OR REPLACE FUNCTION rotate_refresh_token(token bytea, next bytea, grace_s integer, idle_s integer,
    OUT outcome text, OUT session_id uuid, OUT tenant_id uuid, OUT user_id uuid, OUT next_sha256 bytea, OUT expires_at timestamptz)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
#variable_conflict use_column
DECLARE
  known refresh_tokens;
  family user_sessions;
BEGIN
  SELECT s.* INTO family FROM refresh_tokens r JOIN user_sessions s ON s.id = r.session_id WHERE r.token_sha256 = token FOR UPDATE OF s;
  IF NOT FOUND THEN
    outcome := 'unknown';
    RETURN;
  END IF;
  -- After the lock: another request may have used the token, or given the session to a browser, which deletes its tokens.
  SELECT * INTO known FROM refresh_tokens r WHERE r.token_sha256 = token;
  IF NOT FOUND THEN
    outcome := 'unknown';
    RETURN;
  END IF;
  session_id := family.id;
  tenant_id := family.tenant_id;
  user_id := family.user_id;
  expires_at := family.expires_at;
  IF family.ended_at IS NOT NULL OR family.expires_at <= now() OR family.last_used_at <= now() - make_interval(secs => idle_s)
     OR NOT EXISTS (SELECT FROM users u JOIN tenants t ON t.id = u.tenant_id
                     WHERE u.id = family.user_id AND u.active AND u.auth_version = family.auth_version AND t.suspended_at IS NULL) THEN
    outcome := 'ended';
  ELSIF known.used_at IS NULL THEN
    UPDATE refresh_tokens r SET used_at = clock_timestamp(), next_sha256 = next WHERE r.token_sha256 = token;
    INSERT INTO refresh_tokens (token_sha256, tenant_id, session_id) VALUES (next, family.tenant_id, family.id);
    UPDATE user_sessions s SET last_used_at = clock_timestamp() WHERE s.id = family.id;
    outcome := 'rotated';
    next_sha256 := next;
  ELSIF known.used_at > clock_timestamp() - make_interval(secs => grace_s)
        AND EXISTS (SELECT FROM refresh_tokens r WHERE r.token_sha256 = known.next_sha256 AND r.used_at IS NULL) THEN
    outcome := 'repeated';
    next_sha256 := known.next_sha256;
  ELSE
    UPDATE user_sessions s SET ended_at = clock_timestamp(), end_reason = 'reuse' WHERE s.id = family.id;
    outcome := 'reused';
  END IF;
END
$$;
ALTER FUNCTION rotate_refresh_token OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION rotate_refresh_token FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rotate_refresh_token TO recollect_app;
