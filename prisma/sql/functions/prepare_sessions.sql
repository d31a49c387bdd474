-- Creates the missing sessions of a batch, and finds the projects of sessions that have none or whose events name another one. Returns the created
-- sessions, and the moves to make once the sessions are locked, [{id, project_id}]; null for none.
CREATE OR REPLACE FUNCTION prepare_sessions(sessions json, projects json, OUT moves jsonb, OUT created uuid[])
  LANGUAGE plpgsql
  AS $$
#variable_conflict use_column
DECLARE
  given record;
  named record;
  found_project uuid;
  new_id uuid;
BEGIN
  -- Projects of a tenant are created one at a time, so that concurrent first sessions create one project. All tenants are locked before the first
  -- write, in a fixed order, so that two batches cannot deadlock.
  PERFORM pg_advisory_xact_lock(hashtextextended(naming.tenant_id::text, 0)) FROM (
    SELECT DISTINCT g.tenant_id
      FROM json_to_recordset(projects) AS p(session integer)
      JOIN json_to_recordset(sessions) AS g(n integer, tenant_id uuid) ON g.n = p.session
     ORDER BY g.tenant_id) AS naming;

  -- In a fixed order, so that two batches with the same new sessions cannot deadlock. Existing sessions are not written before they are locked.
  FOR given IN
    SELECT g.*, s.id, s.project_id
      FROM json_to_recordset(sessions) AS g(n integer, tenant_id uuid, user_id uuid, host text, external_id text, namespace text, infer boolean, received_at timestamptz)
      LEFT JOIN sessions s ON s.tenant_id = g.tenant_id AND s.host = g.host AND s.external_id = g.external_id AND s.user_id = g.user_id
     ORDER BY g.tenant_id, g.host, g.external_id, g.user_id
  LOOP
    found_project := given.project_id;
    FOR named IN
      SELECT p.project FROM (SELECT value AS project, ordinality AS n FROM json_array_elements(projects) WITH ORDINALITY) AS p
       WHERE (p.project ->> 'session')::integer = given.n ORDER BY p.n
    LOOP
      IF found_project IS NULL THEN
        found_project := resolve_project(given.tenant_id, named.project::jsonb || jsonb_build_object('user', given.user_id));
      ELSIF named.project ->> 'remote' IS NOT NULL
            AND project_needs_update(given.tenant_id, found_project, named.project ->> 'remote', (named.project -> 'aliases')::jsonb) THEN
        found_project := join_project(given.tenant_id, found_project, named.project::jsonb);
      END IF;
    END LOOP;
    IF given.id IS NULL THEN
      INSERT INTO sessions (id, tenant_id, user_id, project_id, host, external_id, namespace, infer, started_at, last_event_at)
      VALUES (uuidv7(), given.tenant_id, given.user_id, found_project, given.host, given.external_id, given.namespace, given.infer, given.received_at, given.received_at)
      ON CONFLICT (tenant_id, host, external_id, user_id) DO NOTHING
      RETURNING sessions.id INTO new_id;
      created := created || new_id;
    -- A session of a project under a legal hold is not moved: the hold would not cover it in another one.
    ELSIF found_project IS DISTINCT FROM given.project_id AND NOT EXISTS (
            SELECT FROM legal_holds h WHERE h.tenant_id = given.tenant_id AND h.subject = 'project' AND h.subject_id = given.project_id AND h.released_at IS NULL) THEN
      moves := coalesce(moves, '[]') || jsonb_build_object('id', given.id, 'project_id', found_project);
    END IF;
  END LOOP;
END
$$;
ALTER FUNCTION prepare_sessions OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION prepare_sessions FROM PUBLIC;
