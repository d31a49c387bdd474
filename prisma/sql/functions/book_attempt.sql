-- Books an attempt to log in before its password is checked, so that concurrent attempts count, too. Returns the seconds to wait if one of the buckets
-- is locked; the attempt is then not booked. 0: the attempt may be made.
--
-- `pair` counts the attempts on an account from an address, `account` those from all addresses, `address` those on all accounts. After 5, 10 and 20 attempts a bucket
-- locks for 30 seconds, twice as long after each further one, 15 minutes at most; an hour without attempts clears it. `known` marks an address from which the user
-- has logged in: its attempts skip the bucket of the account, so that guesses from elsewhere do not lock it out.
CREATE OR REPLACE FUNCTION book_attempt(pair text, account text, address text, known text)
  RETURNS integer
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
DECLARE
  is_known boolean := EXISTS (SELECT FROM auth_attempts a WHERE a.bucket = known AND a.locked_until > now());
  -- Always in this order: two attempts cannot wait for each other.
  buckets text[] := CASE WHEN is_known THEN ARRAY[pair, address] ELSE ARRAY[pair, account, address] END;
  limits integer[] := CASE WHEN is_known THEN ARRAY[5, 20] ELSE ARRAY[5, 10, 20] END;
  locked auth_attempts;
  wait_s integer;
BEGIN
  -- First without rows of its own: refused attempts with many names store nothing.
  SELECT coalesce(max(ceil(extract(epoch FROM a.locked_until - clock_timestamp()))::integer), 0) INTO wait_s
    FROM auth_attempts a WHERE a.bucket = ANY (buckets);
  IF wait_s > 0 THEN
    RETURN wait_s;
  END IF;
  FOR n IN 1..cardinality(buckets) LOOP
    INSERT INTO auth_attempts (bucket, failures, locked_until, last_at) VALUES (buckets[n], 0, now(), now()) ON CONFLICT DO NOTHING;
    SELECT * INTO locked FROM auth_attempts a WHERE a.bucket = buckets[n] FOR UPDATE;
    wait_s := greatest(wait_s, ceil(extract(epoch FROM locked.locked_until - clock_timestamp()))::integer);
  END LOOP;
  IF wait_s > 0 THEN
    RETURN wait_s;
  END IF;
  FOR n IN 1..cardinality(buckets) LOOP
    UPDATE auth_attempts a
       SET failures = b.failures, last_at = clock_timestamp(),
           locked_until = clock_timestamp() + CASE WHEN b.failures < limits[n] THEN interval '0'
             ELSE least(interval '15 minutes', interval '30 seconds' * 2 ^ least(b.failures - limits[n], 10)) END
      FROM (SELECT CASE WHEN c.last_at < clock_timestamp() - interval '1 hour' THEN 1 ELSE c.failures + 1 END AS failures
              FROM auth_attempts c WHERE c.bucket = buckets[n]) AS b
     WHERE a.bucket = buckets[n];
  END LOOP;
  RETURN 0;
END
$$;
ALTER FUNCTION book_attempt OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION book_attempt FROM PUBLIC;
GRANT EXECUTE ON FUNCTION book_attempt TO recollect_app;
