-- Returns the project of a session in `project` whose remote is now known. A new remote becomes the remote of a project that was known by its path
-- alone; a remote of another project leads to that project. The caller has locked the tenant.
CREATE OR REPLACE FUNCTION join_project(for_tenant uuid, project uuid, named jsonb) RETURNS uuid
  LANGUAGE plpgsql
  AS $$
DECLARE
  owner uuid;
BEGIN
  SELECT a.project_id INTO owner FROM project_aliases a WHERE a.tenant_id = for_tenant AND a.alias = 'remote:' || (named ->> 'remote');
  IF owner IS NULL THEN
    owner := project;
    UPDATE projects SET git_remote = named ->> 'remote' WHERE id = project AND git_remote IS NULL;
  END IF;
  INSERT INTO project_aliases (tenant_id, alias, project_id)
  SELECT for_tenant, alias, owner FROM jsonb_array_elements_text(named -> 'aliases') AS alias ON CONFLICT DO NOTHING;
  RETURN owner;
END
$$;
ALTER FUNCTION join_project OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION join_project FROM PUBLIC;
