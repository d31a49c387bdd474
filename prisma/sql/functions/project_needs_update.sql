-- Returns true if a remote adds to a project: it is the first remote of a project that was known by its path, or the project lacks one of the aliases.
CREATE OR REPLACE FUNCTION project_needs_update(for_tenant uuid, project uuid, remote text, aliases jsonb) RETURNS boolean
  LANGUAGE sql STABLE
  AS $$
  SELECT p.git_remote IS NULL
         OR p.git_remote = remote AND EXISTS (
           SELECT FROM jsonb_array_elements_text(aliases) AS given(alias)
            WHERE NOT EXISTS (SELECT FROM project_aliases a WHERE a.tenant_id = for_tenant AND a.alias = given.alias))
    FROM projects p WHERE p.id = project
$$;
ALTER FUNCTION project_needs_update OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION project_needs_update FROM PUBLIC;
