-- Returns true if a memory mentions each of these files: one of its paths ends with the file, or its text contains it.
CREATE OR REPLACE FUNCTION mentions_files(paths text[], body text, files text[]) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT files IS NULL OR NOT EXISTS (
    SELECT FROM unnest(files) AS file
     WHERE position(lower(file) IN lower(body)) = 0
       AND NOT EXISTS (SELECT FROM unnest(paths) AS path WHERE right('/' || lower(path), length(file) + 1) = '/' || lower(file))) $$;
