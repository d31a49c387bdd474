-- Returns the number of open requests about personal data of all tenants: overdue, and due within `soon`; for the metrics.
CREATE OR REPLACE FUNCTION gdpr_deadlines(soon interval)
  RETURNS TABLE (overdue bigint, due_soon bigint)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  SELECT count(*) FILTER (WHERE r.due_at <= now()), count(*) FILTER (WHERE r.due_at > now())
    FROM gdpr_requests r WHERE r.finished_at IS NULL AND r.due_at <= now() + soon
$$;
ALTER FUNCTION gdpr_deadlines OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION gdpr_deadlines FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gdpr_deadlines TO recollect_app;
