-- Returns true if a text contains every phrase. Phrases are lower case with single blanks, as from `domain/query/understand.ts`.
CREATE OR REPLACE FUNCTION contains_phrases(body text, phrases text[]) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT phrases IS NULL OR NOT EXISTS (SELECT FROM unnest(phrases) AS phrase WHERE position(phrase IN regexp_replace(lower(body), '\s+', ' ', 'g')) = 0) $$;
