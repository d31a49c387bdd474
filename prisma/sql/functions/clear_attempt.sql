-- Takes back a booked attempt that succeeded: the pair begins anew, the other buckets lose one and the lock that it caused, since no attempt is booked while one
-- lasts. `completes`: no other proof follows, and the address is known to the user for 90 days.
CREATE OR REPLACE FUNCTION clear_attempt(pair text, account text, address text, known text, completes boolean)
  RETURNS void
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
DECLARE
  is_known boolean := EXISTS (SELECT FROM auth_attempts a WHERE a.bucket = known AND a.locked_until > now());
BEGIN
  UPDATE auth_attempts a SET failures = 0, locked_until = now() WHERE a.bucket = pair;
  IF NOT is_known THEN
    UPDATE auth_attempts a SET failures = greatest(0, a.failures - 1), locked_until = now() WHERE a.bucket = account;
  END IF;
  UPDATE auth_attempts a SET failures = greatest(0, a.failures - 1), locked_until = now() WHERE a.bucket = address;
  IF completes THEN
    INSERT INTO auth_attempts AS a (bucket, failures, locked_until, last_at) VALUES (known, 0, now() + interval '90 days', now())
    ON CONFLICT ON CONSTRAINT auth_attempts_pkey DO UPDATE SET locked_until = excluded.locked_until, last_at = excluded.last_at;
  END IF;
END
$$;
ALTER FUNCTION clear_attempt OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION clear_attempt FROM PUBLIC;
GRANT EXECUTE ON FUNCTION clear_attempt TO recollect_app;
