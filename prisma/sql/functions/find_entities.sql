-- Returns the ids of entities with one of these names (lower case), highest weight first; files also match by the end of their path.
-- SECURITY DEFINER with the tenant as an argument, because LIKE is not leakproof.
CREATE OR REPLACE FUNCTION find_entities(for_tenant uuid, names text[], of_project uuid, in_namespace text, at_most integer) RETURNS SETOF uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  SELECT e.id FROM entities e
   WHERE e.tenant_id = for_tenant AND (of_project IS NULL OR e.project_id = of_project) AND (in_namespace IS NULL OR e.namespace = in_namespace)
     AND (e.name = ANY (names) OR (e.type = 'file' AND e.name LIKE ANY (ARRAY(SELECT '%/' || regexp_replace(name, '([\\%_])', '\\\1', 'g') FROM unnest(names) AS name))))
   ORDER BY e.weight DESC, e.id LIMIT at_most
$$;
ALTER FUNCTION find_entities OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION find_entities FROM PUBLIC;
GRANT EXECUTE ON FUNCTION find_entities TO recollect_app;
