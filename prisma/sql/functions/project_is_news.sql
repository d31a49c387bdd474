-- Returns true if a remote adds to a project: it is the first remote of a project that was known by its path, or brings another alias.
CREATE OR REPLACE FUNCTION project_is_news(for_tenant uuid, project uuid, remote text, aliases jsonb) RETURNS boolean
  LANGUAGE sql STABLE
  AS $$
  SELECT p.git_remote IS NULL
         OR p.git_remote = remote AND EXISTS (
           SELECT FROM jsonb_array_elements_text(aliases) AS told(alias)
            WHERE NOT EXISTS (SELECT FROM project_aliases a WHERE a.tenant_id = for_tenant AND a.alias = told.alias))
    FROM projects p WHERE p.id = project
$$;
ALTER FUNCTION project_is_news OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION project_is_news FROM PUBLIC;
