-- How long rows are kept, what must not go, what went, and where archived sessions lie.

CREATE TABLE "retention_policies" (
  "id" UUID NOT NULL,
  "tenant_id" UUID NOT NULL,
  -- Null: every project.
  "project_id" UUID,
  "resource" TEXT NOT NULL,
  -- Null: every class.
  "data_class" TEXT,
  "age_days" INTEGER NOT NULL,
  "action" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "created_by" UUID,
  CONSTRAINT "retention_policies_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "retention_policies_resource_check" CHECK (resource IN
    ('session', 'observation', 'prompt', 'usage', 'summary', 'learning', 'context', 'import', 'alert', 'tombstone', 'excluded_session')),
  CONSTRAINT "retention_policies_data_class_check" CHECK (data_class IN ('public', 'internal', 'sensitive', 'confidential', 'restricted')),
  CONSTRAINT "retention_policies_action_check" CHECK (action IN ('keep', 'decay', 'archive', 'delete')),
  CONSTRAINT "retention_policies_age_check" CHECK (age_days BETWEEN 1 AND 36500)
);
CREATE UNIQUE INDEX "retention_policies_rule_key" ON "retention_policies"("tenant_id", "resource", "project_id", "data_class") NULLS NOT DISTINCT;
CREATE INDEX "retention_policies_project_id_idx" ON "retention_policies"("project_id");
ALTER TABLE "retention_policies" ADD CONSTRAINT "retention_policies_project_id_fkey"
  FOREIGN KEY ("project_id") REFERENCES "projects"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- A hold outlives what it was put on: its subject is no foreign key.
CREATE TABLE "legal_holds" (
  "id" UUID NOT NULL,
  "tenant_id" UUID NOT NULL,
  "subject" TEXT NOT NULL,
  "subject_id" UUID NOT NULL,
  "reason" TEXT NOT NULL,
  "created_by" UUID NOT NULL,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "released_by" UUID,
  "released_at" TIMESTAMPTZ(6),
  CONSTRAINT "legal_holds_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "legal_holds_subject_check" CHECK (subject IN ('tenant', 'project', 'session', 'user'))
);
CREATE INDEX "legal_holds_tenant_id_id_idx" ON "legal_holds"("tenant_id", "id" DESC);
CREATE INDEX "legal_holds_standing_idx" ON "legal_holds"("tenant_id") WHERE (released_at IS NULL);

CREATE TABLE "retention_runs" (
  "id" UUID NOT NULL,
  "tenant_id" UUID NOT NULL,
  -- Runs of one workflow.
  "group_id" UUID NOT NULL,
  "mode" TEXT NOT NULL,
  "state" TEXT NOT NULL DEFAULT 'running',
  -- Of the policies and the holds that it was made for.
  "policy_hash" BYTEA NOT NULL,
  -- Ages are counted back from here, so that a run that is resumed ends where it would have.
  "reference_time" TIMESTAMPTZ(6) NOT NULL,
  -- Null: the schedule.
  "user_id" UUID,
  "error" TEXT,
  -- Which kind it is at, and after which row: written with what was counted.
  "cursor" JSONB,
  "approved_by" UUID,
  "approved_at" TIMESTAMPTZ(6),
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "finished_at" TIMESTAMPTZ(6),
  CONSTRAINT "retention_runs_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "retention_runs_mode_check" CHECK (mode IN ('dry_run', 'run')),
  CONSTRAINT "retention_runs_state_check" CHECK (state IN ('running', 'completed', 'failed', 'cancelled')),
  CONSTRAINT "retention_runs_hash_is_sha256" CHECK (octet_length(policy_hash) = 32)
);
CREATE UNIQUE INDEX "retention_runs_group_id_tenant_id_key" ON "retention_runs"("group_id", "tenant_id");
CREATE INDEX "retention_runs_tenant_id_id_idx" ON "retention_runs"("tenant_id", "id" DESC);

-- What goes or went and why: rows and their bytes, by rule, class, project and month.
CREATE TABLE "retention_counts" (
  "id" UUID NOT NULL DEFAULT uuidv7(),
  "run_id" UUID NOT NULL,
  "tenant_id" UUID NOT NULL,
  -- A policy's id, or default.
  "rule" TEXT NOT NULL,
  "resource" TEXT NOT NULL,
  "action" TEXT NOT NULL,
  "project_id" UUID,
  -- Empty where the kind has none.
  "data_class" TEXT NOT NULL DEFAULT '',
  "month" DATE NOT NULL,
  "rows" BIGINT NOT NULL,
  "bytes" BIGINT NOT NULL,
  CONSTRAINT "retention_counts_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "retention_counts_place_key" ON "retention_counts"("run_id", "rule", "resource", "action", "project_id", "data_class", "month") NULLS NOT DISTINCT;
ALTER TABLE "retention_counts" ADD CONSTRAINT "retention_counts_run_id_fkey"
  FOREIGN KEY ("run_id") REFERENCES "retention_runs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- The index line of an archived session: what it is found by while its rows lie in the store.
CREATE TABLE "archives" (
  "id" UUID NOT NULL,
  "tenant_id" UUID NOT NULL,
  "session_id" UUID NOT NULL,
  "project_id" UUID,
  "user_id" UUID NOT NULL,
  "title" TEXT NOT NULL,
  -- Heads of the session's summaries.
  "heads" TEXT NOT NULL,
  "started_at" TIMESTAMPTZ(6) NOT NULL,
  "ended_at" TIMESTAMPTZ(6) NOT NULL,
  -- Rows by table.
  "counts" JSONB NOT NULL,
  "object_key" TEXT NOT NULL,
  -- Of the object as it lies in the store.
  "object_bytes" BIGINT NOT NULL,
  "object_sha256" BYTEA NOT NULL,
  -- Of the lines in it.
  "lines_sha256" BYTEA NOT NULL,
  -- Whole values that rows in it were cut from: SHA-256.
  "wholes" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
  "search" tsvector GENERATED ALWAYS AS (to_tsvector('english'::regconfig, title || ' ' || heads)) STORED,
  "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "archives_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "archives_session_id_key" ON "archives"("session_id");
CREATE INDEX "archives_tenant_id_id_idx" ON "archives"("tenant_id", "id" DESC);
CREATE INDEX "archives_project_id_idx" ON "archives"("project_id");
CREATE INDEX "archives_search_idx" ON "archives" USING GIN ("tenant_id" uuid_ops, "search");
ALTER TABLE "archives" ADD CONSTRAINT "archives_session_id_fkey" FOREIGN KEY ("session_id") REFERENCES "sessions"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "archives" ADD CONSTRAINT "archives_project_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- Whole values that rows were cut from which expired: each goes once nothing that stands names it.
CREATE TABLE "expired_full_values" (
  "tenant_id" UUID NOT NULL,
  "sha256" TEXT NOT NULL,
  CONSTRAINT "expired_full_values_pkey" PRIMARY KEY ("tenant_id", "sha256")
);

DO $$
DECLARE
  owned text;
BEGIN
  FOREACH owned IN ARRAY ARRAY['retention_policies', 'legal_holds', 'retention_runs', 'retention_counts', 'archives', 'expired_full_values'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', owned);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', owned);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()))', owned);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO recollect_app, recollect_maintenance', owned);
  END LOOP;
END
$$;

-- Archived sessions by their index line, the best first. `@@` is not leakproof: under a policy the index would not be used.
CREATE FUNCTION search_archives(for_tenant uuid, question text, at_most integer, to_skip integer)
  RETURNS TABLE (id uuid, rank real, total bigint)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  SELECT a.id, ts_rank(a.search, websearch_to_tsquery('english', question)) AS rank, count(*) OVER () AS total FROM archives a
   WHERE a.tenant_id = for_tenant AND a.search @@ websearch_to_tsquery('english', question)
   ORDER BY rank DESC, a.id DESC LIMIT at_most OFFSET to_skip
$$;

-- Rows that retention treated, over all tenants.
CREATE FUNCTION retention_totals()
  RETURNS TABLE (resource text, action text, rows bigint)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  SELECT c.resource, c.action, sum(c.rows)::bigint FROM retention_counts c JOIN retention_runs r ON r.id = c.run_id WHERE r.mode = 'run' GROUP BY 1, 2
$$;

-- Whether all of these rows of a month may go: their rule says so, their session is over, and no hold is on them. `kinds` are the month's rows by tenant,
-- session, user and class, `cells` the rules whose age the whole month has. Sessions that lose rows are told how many. Refuses with RT001.
CREATE FUNCTION settle_expired(hot text, kinds jsonb, cells jsonb, named_projects uuid[])
  RETURNS TABLE (tenant_id uuid, run uuid, rule text, project_id uuid, data_class text, rows bigint, bytes bigint)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
#variable_conflict use_column
DECLARE
  judged jsonb;
BEGIN
  SELECT jsonb_agg(to_jsonb(j)) INTO judged FROM (
    SELECT k.tenant, k.session, k.class, k.rows, k.bytes, k.tokens, s.project_id AS project, c.run, c.rule
      FROM jsonb_to_recordset(kinds) AS k(tenant uuid, session uuid, "user" uuid, class text, rows bigint, bytes bigint, tokens bigint)
      LEFT JOIN sessions s ON s.id = k.session
      LEFT JOIN jsonb_to_recordset(cells) AS c(tenant uuid, run uuid, rule text, project uuid, class text)
        ON c.tenant = k.tenant AND c.class = k.class AND c.project IS NOT DISTINCT FROM CASE WHEN s.project_id = ANY (named_projects) THEN s.project_id END) AS j;
  IF EXISTS (SELECT FROM jsonb_to_recordset(judged) AS j(rule text) WHERE j.rule IS NULL)
     OR EXISTS (SELECT FROM jsonb_to_recordset(kinds) AS k(session uuid) JOIN sessions s ON s.id = k.session WHERE s.status = 'active' AND s.phase <> 'cancelled')
     OR EXISTS (
       SELECT FROM jsonb_to_recordset(kinds) AS k(tenant uuid, session uuid, "user" uuid)
         JOIN legal_holds h ON h.tenant_id = k.tenant AND h.released_at IS NULL
         LEFT JOIN sessions s ON s.id = k.session
        WHERE h.subject = 'tenant' OR h.subject_id IN (k.session, k."user", s.project_id)) THEN
    RAISE EXCEPTION 'rows of this month are to be kept' USING ERRCODE = 'RT001';
  END IF;
  IF hot <> 'usage_ledger' THEN
    UPDATE sessions s
       SET prompt_count = greatest(0, s.prompt_count - CASE hot WHEN 'prompts' THEN less.rows ELSE 0 END),
           observation_count = greatest(0, s.observation_count - CASE hot WHEN 'observations' THEN less.rows ELSE 0 END),
           token_count = greatest(0, s.token_count - less.tokens), updated_at = now()
      FROM (SELECT j.session, sum(j.rows)::integer AS rows, sum(j.tokens)::integer AS tokens
              FROM jsonb_to_recordset(judged) AS j(session uuid, rows bigint, tokens bigint) GROUP BY 1) AS less
     WHERE s.id = less.session AND s.status <> 'archived';
  END IF;
  RETURN QUERY
  SELECT j.tenant, j.run, j.rule, j.project, j.class, sum(j.rows)::bigint, sum(j.bytes)::bigint
    FROM jsonb_to_recordset(judged) AS j(tenant uuid, run uuid, rule text, project uuid, class text, rows bigint, bytes bigint) GROUP BY 1, 2, 3, 4, 5;
END
$$;

-- Takes a month whose rows have all expired out of its table, and answers what was in it; null columns and no rows where it is empty. The rows stay in
-- the detached table until `drop_detached_month`. Verified with writes to the month locked out and no new holds; the table itself is locked for some
-- milliseconds, and never waited for longer than captures may wait behind it. RT001: rows are to be kept; RT002: the month is not over, or none of ours.
CREATE FUNCTION detach_expired_month(hot text, month date, cells jsonb, named_projects uuid[])
  RETURNS TABLE (tenant_id uuid, run uuid, rule text, project_id uuid, data_class text, rows bigint, bytes bigint)
  -- Rows are wide: with less memory the planner, which takes their groups for as wide, would sort all of the month on disk.
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET work_mem = '64MB'
  AS $$
#variable_conflict use_column
DECLARE
  part text := hot || '_' || to_char(month, 'YYYY_MM');
  columns text := CASE hot
    WHEN 'observations' THEN 'session_id AS session, data_class AS class, sum(tokens) AS tokens, sum(pg_column_size(title) + pg_column_size(content) + pg_column_size(preview) + coalesce(pg_column_size(input), 0)) AS bytes'
    WHEN 'prompts' THEN 'session_id AS session, data_class AS class, sum(tokens) AS tokens, sum(pg_column_size(content)) AS bytes'
    WHEN 'usage_ledger' THEN 'session_id AS session, '''' AS class, 0 AS tokens, count(*) * 120 AS bytes' END;
  kinds jsonb;
  tries integer := 0;
BEGIN
  IF columns IS NULL OR month <> date_trunc('month', month)::date OR (month + interval '1 month') > (now() AT TIME ZONE 'UTC')
     OR NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = hot::regclass AND i.inhrelid = to_regclass(part)) THEN
    RAISE EXCEPTION 'not a month that is over' USING ERRCODE = 'RT002';
  END IF;
  PERFORM set_config('lock_timeout', '2s', true);
  EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', part);
  EXECUTE format('SELECT jsonb_agg(to_jsonb(k)) FROM (SELECT tenant_id AS tenant, user_id AS "user", count(*) AS rows, %s FROM %I GROUP BY tenant_id, session_id, user_id, class) AS k', columns, part) INTO kinds;
  IF kinds IS NULL THEN
    RETURN;
  END IF;
  -- Once the month is counted, which takes seconds: until then holds are placed as ever, and from here on they are seen.
  LOCK TABLE legal_holds IN SHARE MODE;
  RETURN QUERY SELECT * FROM settle_expired(hot, kinds, cells, named_projects);
  PERFORM set_config('lock_timeout', '100ms', true);
  LOOP
    BEGIN
      EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', hot, part);
      EXIT;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      tries := tries + 1;
      IF tries >= 40 THEN
        RAISE;
      END IF;
      PERFORM pg_sleep(0.1);
    END;
  END LOOP;
END
$$;

-- Whether this is a month that was taken out of its table.
CREATE FUNCTION assert_detached_month(hot text, month date) RETURNS text
  LANGUAGE plpgsql STABLE SET search_path = public, pg_temp
  AS $$
DECLARE
  part text := hot || '_' || to_char(month, 'YYYY_MM');
BEGIN
  IF hot NOT IN ('prompts', 'observations', 'usage_ledger') OR EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = to_regclass(part)) THEN
    RAISE EXCEPTION 'not a month that was taken out' USING ERRCODE = 'RT002';
  END IF;
  RETURN part;
END
$$;

-- Sessions that have rows in a month which was taken out of its table, after that one: their tenants, where user's prompts of them stood in it, and the whole
-- values that its rows were cut from, of rows that are long enough to hold the note of one.
CREATE FUNCTION detached_month_sessions(hot text, month date, after uuid, at_most integer)
  RETURNS TABLE (tenant_id uuid, session_id uuid, asked integer[], wholes text[])
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
#variable_conflict use_column
DECLARE
  part text := assert_detached_month(hot, month);
  asked text := CASE hot WHEN 'prompts' THEN 'array_agg(r.seq) FILTER (WHERE r.type = ''user'')' ELSE 'NULL::integer[]' END;
  said text := CASE hot
    WHEN 'observations' THEN 'CASE WHEN octet_length(r.content) > 16384 OR pg_column_size(r.input) > 500 THEN r.content || coalesce(r.input::text, '''') END'
    WHEN 'prompts' THEN 'CASE WHEN octet_length(r.content) > 16384 THEN r.content END' END;
BEGIN
  IF said IS NULL OR to_regclass(part) IS NULL THEN
    RETURN;
  END IF;
  RETURN QUERY EXECUTE format($page$
    SELECT rows.tenant_id, s.session_id, rows.asked, notes.wholes
      FROM (SELECT DISTINCT r.session_id FROM %1$I r WHERE r.session_id > $1 ORDER BY 1 LIMIT $2) AS s
     CROSS JOIN LATERAL (SELECT min(r.tenant_id::text)::uuid AS tenant_id, %2$s AS asked FROM %1$I r WHERE r.session_id = s.session_id) AS rows
     CROSS JOIN LATERAL (
       SELECT array_agg(DISTINCT note[1]) AS wholes FROM (SELECT %3$s AS said FROM %1$I r WHERE r.session_id = s.session_id) AS r
        CROSS JOIN LATERAL regexp_matches(r.said, 'bytes in all \(sha256:([0-9a-f]{64})\), the middle is left out', 'g') AS note WHERE r.said IS NOT NULL) AS notes$page$,
    part, asked, said) USING after, at_most;
END
$$;

-- Drops a month that was taken out of its table: nobody reads it any more, so nobody waits.
CREATE FUNCTION drop_detached_month(hot text, month date) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
BEGIN
  EXECUTE format('DROP TABLE IF EXISTS %I', assert_detached_month(hot, month));
END
$$;

-- What names the rows of a month is found by their ids.
CREATE INDEX "entity_mentions_source_id_idx" ON "entity_mentions"("source_id");
CREATE INDEX "relation_evidence_source_id_idx" ON "relation_evidence"("source_id");

-- Somebody must look at what a changed policy would do.
ALTER TABLE "system_alerts" DROP CONSTRAINT "system_alerts_type_check";
ALTER TABLE "system_alerts" ADD CONSTRAINT "system_alerts_type_check" CHECK (type IN ('budget_threshold', 'restore_drill_failed', 'retention_dry_run'));

-- As in 0012_model_budgets, of budgets alone.
CREATE OR REPLACE FUNCTION model_incidents_between(after_id uuid, up_to_id uuid)
  RETURNS TABLE (budget_alerts bigint, claims_dropped bigint)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
  SELECT (SELECT count(*) FROM system_alerts a WHERE a.id > after_id AND a.id <= up_to_id AND a.type = 'budget_threshold'),
         (SELECT coalesce(sum(s.claims_dropped), 0) FROM summaries s WHERE s.id > after_id AND s.id <= up_to_id)
$$;

GRANT SELECT ON "legal_holds", "archives", "retention_runs", "retention_counts" TO recollect_definer;
GRANT CREATE ON SCHEMA public TO recollect_definer;
ALTER FUNCTION search_archives(uuid, text, integer, integer) OWNER TO recollect_definer;
ALTER FUNCTION retention_totals() OWNER TO recollect_definer;
ALTER FUNCTION settle_expired(text, jsonb, jsonb, uuid[]) OWNER TO recollect_definer;
REVOKE CREATE ON SCHEMA public FROM recollect_definer;
REVOKE EXECUTE ON FUNCTION search_archives(uuid, text, integer, integer), retention_totals(), settle_expired(text, jsonb, jsonb, uuid[]),
  detach_expired_month(text, date, jsonb, uuid[]), drop_detached_month(text, date), assert_detached_month(text, date), detached_month_sessions(text, date, uuid, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search_archives(uuid, text, integer, integer), retention_totals() TO recollect_app;
GRANT EXECUTE ON FUNCTION detach_expired_month(text, date, jsonb, uuid[]), drop_detached_month(text, date), detached_month_sessions(text, date, uuid, integer) TO recollect_maintenance;
GRANT EXECUTE ON FUNCTION settle_expired(text, jsonb, jsonb, uuid[]) TO recollect_owner;
