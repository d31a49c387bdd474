-- Moves sessions, with their summaries, learnings and vectors, to the projects found for them. The caller has locked the sessions.
CREATE OR REPLACE FUNCTION move_sessions(moves jsonb) RETURNS void
  LANGUAGE plpgsql
  AS $$
BEGIN
  UPDATE sessions s SET project_id = m.project_id FROM jsonb_to_recordset(moves) AS m(id uuid, project_id uuid) WHERE s.id = m.id;
  UPDATE summaries s SET project_id = m.project_id FROM jsonb_to_recordset(moves) AS m(id uuid, project_id uuid) WHERE s.session_id = m.id;
  UPDATE learnings l SET project_id = m.project_id FROM jsonb_to_recordset(moves) AS m(id uuid, project_id uuid) WHERE l.session_id = m.id;
  -- Vector objects contain the project: they are written again.
  UPDATE embeddings v SET state = CASE v.state WHEN 'indexed' THEN 'pending' ELSE v.state END, revision = v.revision + 1
    FROM jsonb_to_recordset(moves) AS m(id uuid) WHERE v.session_id = m.id AND v.state IN ('indexed', 'pending', 'filling');
END
$$;
ALTER FUNCTION move_sessions OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION move_sessions FROM PUBLIC;
