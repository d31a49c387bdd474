-- Deletes at most `most` events older than `keep`; returns their number. The clock records that readers of an earlier position must begin again, also where
-- no reader had numbered the events: the lock excludes that one does meanwhile.
CREATE FUNCTION prune_stream_events(keep interval, most integer) RETURNS integer
  LANGUAGE plpgsql SET search_path = public, pg_temp
  AS $$
DECLARE
  pruned integer;
  highest bigint;
  unnumbered boolean;
BEGIN
  PERFORM FROM stream_clock FOR UPDATE;
  WITH deleted AS (
    DELETE FROM stream_events WHERE id IN (
      SELECT e.id FROM stream_events e
       WHERE e.id < uuidv7_floor(now() - keep) ORDER BY e.id LIMIT most)
    RETURNING position)
  SELECT count(*), max(position), bool_or(position IS NULL) INTO pruned, highest, unnumbered FROM deleted;
  UPDATE stream_clock
     SET last_position = last_position + CASE WHEN unnumbered THEN 1 ELSE 0 END,
         kept_after = greatest(kept_after, CASE WHEN unnumbered THEN last_position + 1 ELSE highest END)
   WHERE pruned > 0;
  RETURN pruned;
END
$$;
REVOKE EXECUTE ON FUNCTION prune_stream_events FROM PUBLIC;
GRANT EXECUTE ON FUNCTION prune_stream_events TO recollect_maintenance;
