-- Returns figures of the instance for the metrics of all tenants: numbers only. Each has a name and for some a label. `instance_quota`: daily tokens of users without a
-- quota of their own. Reads what is in progress, never all rows: the number of a table's rows and its size are PostgreSQL's estimates.
CREATE OR REPLACE FUNCTION instance_figures(instance_quota integer)
  RETURNS TABLE (figure text, label text, value double precision)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  WITH live AS MATERIALIZED (SELECT s.id, s.phase, s.last_seq, s.consumed_seq FROM sessions s WHERE s.status = 'active'),
       waiting AS MATERIALIZED (
         -- Ids of rows are of the time of their capture.
         SELECT l.last_seq - l.consumed_seq AS rows, extract(epoch FROM now() - uuid_extract_timestamp(k.row_id)) AS age
           FROM live l JOIN capture_keys k ON k.session_id = l.id AND k.seq = l.consumed_seq + 1
          WHERE l.last_seq > l.consumed_seq AND l.phase <> 'cancelled'),
       relations AS (
         SELECT coalesce(parent.relname, c.relname)::text AS name, c.relkind, greatest(c.reltuples, 0)::double precision AS rows, c.relpages
           FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class parent ON parent.oid = i.inhparent
          WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'i') OR c.relkind = 't')
  SELECT 'created', '', extract(epoch FROM min(t.created_at)) FROM tenants t HAVING count(*) > 0
  UNION ALL SELECT 'unconsumed_rows', '', coalesce(sum(w.rows), 0) FROM waiting w
  UNION ALL SELECT 'unconsumed_oldest_age', '', greatest(coalesce(max(w.age), 0), 0) FROM waiting w
  UNION ALL SELECT 'unfindable_rows', '', coalesce(sum(w.rows), 0) FROM waiting w WHERE w.age > 300
  UNION ALL SELECT 'sessions', l.phase, count(*) FROM live l GROUP BY 2
  UNION ALL SELECT 'windows', w.state, count(*) FROM live l JOIN windows w ON w.session_id = l.id WHERE w.state <> 'summarised' GROUP BY 2
  UNION ALL SELECT 'vectors', 'pending', count(*) FROM (SELECT FROM embeddings e WHERE e.state = 'pending' LIMIT 100000) AS pending
  UNION ALL SELECT 'vectors', 'failed', count(*) FROM (SELECT FROM embeddings e WHERE e.state = 'failed' LIMIT 100000) AS failed
  UNION ALL SELECT 'rows', r.name, sum(r.rows) FROM relations r
             WHERE r.relkind = 'r' AND r.name IN ('sessions', 'prompts', 'observations', 'summaries', 'learnings', 'entities', 'embeddings') GROUP BY 2
  UNION ALL SELECT 'database_size', '', sum(r.relpages::double precision) * current_setting('block_size')::integer FROM relations r
  UNION ALL SELECT 'budget_used', '', coalesce(max(u.tokens_used_today::double precision / nullif(coalesce(u.daily_token_quota, instance_quota), 0)), 0)
              FROM users u WHERE u.tokens_used_on >= (now() AT TIME ZONE 'UTC')::date
  UNION ALL SELECT 'audit_verified', '', CASE WHEN EXISTS (
              SELECT FROM system_alerts a WHERE a.type = 'audit_log_fault' AND uuid_extract_timestamp(a.id) > now() - interval '25 hours') THEN 0 ELSE 1 END
$$;
ALTER FUNCTION instance_figures OWNER TO recollect_definer;
REVOKE EXECUTE ON FUNCTION instance_figures FROM PUBLIC;
GRANT EXECUTE ON FUNCTION instance_figures TO recollect_app, recollect_maintenance;
