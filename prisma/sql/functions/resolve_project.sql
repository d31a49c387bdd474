-- Returns the project that one of these aliases names; creates it from the first alias if none is known. The other aliases join the project.
-- A remote decides: for a session with a remote, a known path never leads to a project of another remote. The caller has locked the tenant.
-- Transcripts and HTTP hooks name a path without its machine: it is the same user's path on any machine, and of the first machine that names it.
CREATE OR REPLACE FUNCTION resolve_project(for_tenant uuid, project jsonb) RETURNS uuid
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
DECLARE
  aliases text[] := ARRAY(SELECT jsonb_array_elements_text(project -> 'aliases'));
  found uuid;
BEGIN
  IF cardinality(aliases) = 0 THEN
    RETURN NULL;
  END IF;
  SELECT a.project_id INTO found
    FROM unnest(aliases) WITH ORDINALITY AS given(alias, rank)
    JOIN project_aliases a ON a.tenant_id = for_tenant AND a.alias = given.alias
    JOIN projects p ON p.id = a.project_id
   WHERE given.alias LIKE 'remote:%' OR project ->> 'remote' IS NULL OR p.git_remote IS NULL
   ORDER BY given.rank LIMIT 1;
  IF found IS NULL THEN
    SELECT p.id INTO found
      FROM unnest(aliases) AS given(alias)
     CROSS JOIN regexp_match(given.alias, '^path:([^:]*):(.*)$', 's') AS path
      JOIN project_aliases a ON a.tenant_id = for_tenant AND a.alias LIKE 'path:%' AND substring(a.alias FROM '^path:[^:]*:(.*)$') = path[2]
      JOIN projects p ON p.id = a.project_id
     WHERE (project ->> 'remote' IS NULL OR p.git_remote IS NULL)
       AND CASE WHEN path[1] = '' THEN EXISTS (SELECT FROM sessions s WHERE s.project_id = p.id AND s.user_id = (project ->> 'user')::uuid)
                ELSE a.alias = 'path::' || path[2]
                     AND NOT EXISTS (SELECT FROM project_aliases o WHERE o.project_id = p.id AND o.alias <> a.alias AND o.alias LIKE 'path:%'
                                        AND substring(o.alias FROM '^path:[^:]*:(.*)$') = path[2])
                     AND NOT EXISTS (SELECT FROM sessions s WHERE s.project_id = p.id AND s.user_id <> (project ->> 'user')::uuid) END
     ORDER BY p.id DESC LIMIT 1;
  END IF;
  IF found IS NULL THEN
    found := uuidv7();
    INSERT INTO projects (id, tenant_id, display_name, git_remote) VALUES (found, for_tenant, project ->> 'name', project ->> 'remote');
  ELSE
    UPDATE projects SET git_remote = project ->> 'remote' WHERE id = found AND git_remote IS NULL AND project ->> 'remote' IS NOT NULL;
  END IF;
  INSERT INTO project_aliases (tenant_id, alias, project_id) SELECT for_tenant, alias, found FROM unnest(aliases) AS alias ON CONFLICT DO NOTHING;
  RETURN found;
END
$$;
ALTER FUNCTION resolve_project OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION resolve_project FROM PUBLIC;
