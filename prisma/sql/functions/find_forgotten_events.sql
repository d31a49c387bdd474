-- Returns the positions of the batch's forgotten events: by session, by key, or by the text of a prompt. The hash identifies an event without a key.
-- The tombstones of the session's user count, and those that bind every user.
CREATE OR REPLACE FUNCTION find_forgotten_events(sessions json, events json, event_keys text[], prompts json) RETURNS integer[]
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
ALTER FUNCTION find_forgotten_events OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION find_forgotten_events FROM PUBLIC;
