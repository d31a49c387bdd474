-- Returns true if a text contains every phrase. Phrases are lower case with single blanks, as from `domain/query/understand.ts`. The blanks of the text are unified last:
-- that takes most of the time, and few texts need it.
CREATE OR REPLACE FUNCTION contains_phrases(body text, phrases text[]) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT phrases IS NULL OR NOT EXISTS (
    SELECT FROM unnest(phrases) AS phrase
     WHERE position(phrase IN lower(body)) = 0
       AND (position(' ' IN phrase) = 0 OR position(phrase IN regexp_replace(lower(body), '\s+', ' ', 'g')) = 0)) $$;
