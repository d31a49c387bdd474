-- Returns the name of a detached month; fails with RT002 if it is still attached.
CREATE OR REPLACE FUNCTION assert_detached_month(hot text, month date) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = public, pg_temp
  AS $$
DECLARE
  part text := hot || '_' || to_char(month, 'YYYY_MM');
BEGIN
  IF hot NOT IN ('prompts', 'observations', 'usage_ledger') OR EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = to_regclass(part)) THEN
    RAISE EXCEPTION 'not a detached month' USING ERRCODE = 'RT002';
  END IF;
  RETURN part;
END
$$;
REVOKE EXECUTE ON FUNCTION assert_detached_month FROM PUBLIC;
