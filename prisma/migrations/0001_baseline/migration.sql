-- The database as one baseline. prisma/schema.prisma describes the same tables; this file adds what Prisma cannot express: partitions, checks, row-level
-- security and grants. All other functions are in prisma/sql/functions and are applied after the migrations.
-- Several columns share a line; a column with a note of its own has a line of its own.

CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;

-- ==== Functions that the tables need
-- A policy or a partition cannot be created before its function: these eight functions are part of the baseline, and only a migration can change them.

-- The tenant is a setting of the transaction (`set_config('app.tenant_id', …, true)`); an empty one counts as none.
CREATE FUNCTION current_tenant_id() RETURNS uuid
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('app.tenant_id', true), '')::uuid $$;

-- The user whose private rows are visible is another setting of the transaction (`app.user_id`): an id, or `*` for all. Unset, no private row is visible.
CREATE FUNCTION current_viewer_id() RETURNS uuid
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(nullif(current_setting('app.user_id', true), ''), '*')::uuid $$;
CREATE FUNCTION views_all() RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT coalesce(current_setting('app.user_id', true), '') = '*' $$;

-- A bound key reads and writes within its namespaces and projects; unset, there are no bounds.
CREATE FUNCTION current_namespaces() RETURNS text[]
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('app.namespaces', true), '')::text[] $$;
CREATE FUNCTION current_projects() RETURNS uuid[]
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('app.projects', true), '')::uuid[] $$;

-- Returns the smallest UUIDv7 of a moment: 48 bits of milliseconds, then zeros.
CREATE FUNCTION uuidv7_floor(moment timestamptz) RETURNS uuid
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  AS $$ SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid $$;

-- Creates the month partitions of the hot tables from one month back to `months_ahead` months ahead; returns the number of new ones.
-- PostgreSQL rejects a row outside every month, so each table also has a default partition. It stays empty while this function runs on schedule;
-- rows that it received meanwhile move into their month.
CREATE FUNCTION ensure_partitions(months_ahead integer DEFAULT 3) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
  AS $$
DECLARE
  hot text;
  -- Of UTC, without a zone: adding months to a moment would count them in the zone of the connection.
  month timestamp;
  part text;
  lowest uuid;
  above uuid;
  created integer := 0;
BEGIN
  FOREACH hot IN ARRAY ARRAY['prompts', 'observations', 'usage_ledger', 'audit_log'] LOOP
    IF to_regclass(hot || '_default') IS NULL THEN
      EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', hot || '_default', hot);
    END IF;
    FOR step IN -1..months_ahead LOOP
      month := date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => step);
      part := hot || '_' || to_char(month, 'YYYY_MM');
      IF to_regclass(part) IS NULL THEN
        lowest := uuidv7_floor(month AT TIME ZONE 'UTC');
        above := uuidv7_floor((month + interval '1 month') AT TIME ZONE 'UTC');
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, hot);
        EXECUTE format('WITH moved AS (DELETE FROM %I WHERE id >= %L AND id < %L RETURNING *) INSERT INTO %I SELECT * FROM moved', hot || '_default', lowest, above, part);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', hot, part, lowest, above);
        created := created + 1;
      END IF;
    END LOOP;
  END LOOP;
  RETURN created;
END
$$;
REVOKE EXECUTE ON FUNCTION ensure_partitions(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_partitions(integer) TO recollect_maintenance;

-- Notifies every api process on the channel that the trigger names, after the commit (stores/postgres/connection/notifications.ts).
CREATE FUNCTION notify_channel() RETURNS trigger
  LANGUAGE plpgsql SET search_path = public, pg_temp
  AS $$
BEGIN
  PERFORM pg_notify(TG_ARGV[0], '');
  RETURN NULL;
END
$$;
REVOKE EXECUTE ON FUNCTION notify_channel() FROM PUBLIC;

-- ==== Tenants, users and keys

CREATE TABLE tenants (
  id uuid PRIMARY KEY, name text NOT NULL, limits jsonb NOT NULL DEFAULT '{}',
  suspended_at timestamptz(6), -- no key of a suspended tenant works
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, is_operator boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX tenants_name_key ON tenants (name);
CREATE UNIQUE INDEX tenants_is_operator_key ON tenants (is_operator) WHERE is_operator;

CREATE TABLE users (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE RESTRICT ON UPDATE CASCADE,
  username text NOT NULL, email text,
  password_hash text, -- null: has no password and acts by keys only
  role text NOT NULL DEFAULT 'user' CHECK (role IN ('admin', 'user', 'viewer')),
  auth_version integer NOT NULL DEFAULT 1, -- sessions of an older version have ended
  preferences jsonb NOT NULL DEFAULT '{}',
  daily_token_quota integer CHECK (daily_token_quota >= 0), tokens_used_today integer NOT NULL DEFAULT 0,
  tokens_used_on date, active boolean NOT NULL DEFAULT true, restricted_until timestamptz(6),
  last_login_at timestamptz(6), created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX users_tenant_id_username_key ON users (tenant_id, username);

CREATE TABLE api_keys (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE, prefix text NOT NULL,
  key_sha256 bytea NOT NULL, name text NOT NULL, scopes text[], requests_per_minute integer,
  namespaces text[] DEFAULT '{}', projects uuid[] DEFAULT '{}', -- what the key is bound to; empty: to none
  expires_at timestamptz(6), last_used_at timestamptz(6), revoked_at timestamptz(6),
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  created_by uuid,  -- null for keys of the first start
  replaced_by uuid  -- the key that a rotation created; no foreign key, because a restore inserts keys in any order
);
CREATE UNIQUE INDEX api_keys_key_sha256_key ON api_keys (key_sha256);
CREATE INDEX api_keys_user_id_idx ON api_keys (user_id);
CREATE INDEX api_keys_tenant_id_idx ON api_keys (tenant_id);

-- An invite opens the account of its user once. Invites are neither backed up nor exported.
CREATE TABLE user_invites (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE,
  token_sha256 bytea NOT NULL, created_by uuid,
  expires_at timestamptz(6) NOT NULL, accepted_at timestamptz(6),
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX user_invites_token_sha256_key ON user_invites (token_sha256);
CREATE INDEX user_invites_user_id_idx ON user_invites (user_id);
CREATE INDEX user_invites_tenant_id_idx ON user_invites (tenant_id);

-- A log-in of a user, or a browser that signed in by a key. Access tokens are not stored; refresh tokens are one family.
CREATE TABLE user_sessions (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE,
  auth_version integer NOT NULL, methods text[] NOT NULL,
  authenticated_at timestamptz(6) NOT NULL, -- the last proof of the first factor
  mfa_at timestamptz(6), -- the last proof of a second factor, or of a passkey
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  last_used_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, -- the last refresh, or use of the cookie
  expires_at timestamptz(6) NOT NULL, ended_at timestamptz(6),
  end_reason text CHECK (end_reason IN ('logout', 'ended', 'replaced', 'reuse')),
  address text, user_agent text,
  browser_sha256 bytea, -- of the cookie of its browser
  api_key_id uuid REFERENCES api_keys ON DELETE CASCADE ON UPDATE CASCADE -- its rights and its end are those of this key; null: of the user
);
CREATE UNIQUE INDEX user_sessions_browser_sha256_key ON user_sessions (browser_sha256);
CREATE INDEX user_sessions_api_key_id_idx ON user_sessions (api_key_id);
CREATE INDEX user_sessions_user_id_idx ON user_sessions (user_id);
CREATE INDEX user_sessions_tenant_id_idx ON user_sessions (tenant_id);

-- Written by start of a session and rotate_refresh_token. A used token remains until its session is deleted: its second use ends the session.
CREATE TABLE refresh_tokens (
  token_sha256 bytea PRIMARY KEY, tenant_id uuid NOT NULL,
  session_id uuid NOT NULL REFERENCES user_sessions ON DELETE CASCADE ON UPDATE CASCADE,
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  used_at timestamptz(6), next_sha256 bytea
);
CREATE INDEX refresh_tokens_session_id_idx ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_tenant_id_idx ON refresh_tokens (tenant_id);

-- Ed25519 keys of access tokens, of the instance. The private key is sealed. Written by add_signing_key only.
CREATE TABLE signing_keys (
  id uuid PRIMARY KEY, public_key bytea NOT NULL, sealed_private_key bytea NOT NULL,
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- The secret of a user's authenticator, sealed. It counts once it is confirmed.
CREATE TABLE mfa_totp (
  user_id uuid PRIMARY KEY REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE, tenant_id uuid NOT NULL,
  sealed_secret bytea NOT NULL,
  last_step bigint NOT NULL DEFAULT 0, -- time step of the last accepted code: it and older ones are refused
  confirmed_at timestamptz(6), created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX mfa_totp_tenant_id_idx ON mfa_totp (tenant_id);

-- Recovery codes, each valid once.
CREATE TABLE mfa_recovery (
  code_sha256 bytea, user_id uuid REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE, tenant_id uuid NOT NULL,
  used_at timestamptz(6),
  PRIMARY KEY (user_id, code_sha256)
);
CREATE INDEX mfa_recovery_tenant_id_idx ON mfa_recovery (tenant_id);

-- Attempts to log in, by hashes of names and addresses. Written by book_attempt and clear_attempts only.
CREATE TABLE auth_attempts (
  bucket text PRIMARY KEY, failures integer NOT NULL, locked_until timestamptz(6) NOT NULL, last_at timestamptz(6) NOT NULL
);
-- A user at an OpenID Connect provider. The subject is unique and final at its issuer; names and addresses are not.
CREATE TABLE user_identities (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE,
  issuer text NOT NULL, subject text NOT NULL, last_used_at timestamptz(6),
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX user_identities_tenant_id_issuer_subject_key ON user_identities (tenant_id, issuer, subject);
CREATE INDEX user_identities_user_id_idx ON user_identities (user_id);

CREATE TABLE passkeys (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE,
  credential_id bytea NOT NULL, public_key bytea NOT NULL, -- COSE
  sign_count bigint NOT NULL DEFAULT 0 CHECK (sign_count >= 0), -- stays 0 for passkeys that devices share
  name text NOT NULL, synced boolean NOT NULL, -- may be copied to other devices of its owner
  last_used_at timestamptz(6), created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
-- A log-in names the credential alone, before the tenant is known.
CREATE UNIQUE INDEX passkeys_credential_id_key ON passkeys (credential_id);
CREATE INDEX passkeys_user_id_idx ON passkeys (user_id);
CREATE INDEX passkeys_tenant_id_idx ON passkeys (tenant_id);

-- Started log-ins, of no tenant yet; a use ends the row. Written by start_auth_challenge and take_auth_challenge only.
CREATE UNLOGGED TABLE auth_challenges (
  challenge_sha256 bytea PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('oidc', 'passkey_log_in', 'passkey_registration', 'browser')),
  data jsonb NOT NULL, expires_at timestamptz(6) NOT NULL
);
CREATE INDEX auth_challenges_expires_at_idx ON auth_challenges (expires_at);

-- Access of an OAuth client to /mcp for a user. Grants are neither backed up nor exported.
CREATE TABLE oauth_grants (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE,
  client_id text NOT NULL, client_name text, client_host text NOT NULL, scopes text[],
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, last_used_at timestamptz(6),
  expires_at timestamptz(6) NOT NULL, ended_at timestamptz(6),
  end_reason text CHECK (end_reason IN ('revoked', 'client', 'reuse'))
);
CREATE INDEX oauth_grants_user_id_idx ON oauth_grants (user_id);
CREATE INDEX oauth_grants_tenant_id_idx ON oauth_grants (tenant_id);

-- State of the authorization server, of all tenants: the tenant is not known before log-in. Written by its functions only.
CREATE TABLE oauth_payloads (
  model text CHECK (model IN ('AccessToken', 'AuthorizationCode', 'Client', 'Interaction', 'RefreshToken')),
  id_sha256 bytea, -- of the code, the token or the id; the payload does not contain it
  grant_id uuid REFERENCES oauth_grants ON DELETE CASCADE ON UPDATE CASCADE,
  payload jsonb NOT NULL, consumed_at timestamptz(6), expires_at timestamptz(6) NOT NULL,
  PRIMARY KEY (model, id_sha256)
);
CREATE INDEX oauth_payloads_grant_id_idx ON oauth_payloads (grant_id);
CREATE INDEX oauth_payloads_expires_at_idx ON oauth_payloads (expires_at);

-- What a principal consists of. Other columns change often: tokens of the day, last use of a key.
CREATE TRIGGER access_changed AFTER UPDATE OF revoked_at, expires_at, scopes, requests_per_minute, user_id OR DELETE ON api_keys
  FOR EACH STATEMENT EXECUTE FUNCTION notify_channel('access_changed');
CREATE TRIGGER access_changed AFTER UPDATE OF active, role, auth_version ON users
  FOR EACH STATEMENT EXECUTE FUNCTION notify_channel('access_changed');
CREATE TRIGGER access_changed AFTER UPDATE OF ended_at, expires_at, auth_version, mfa_at, browser_sha256 OR DELETE ON user_sessions
  FOR EACH STATEMENT EXECUTE FUNCTION notify_channel('access_changed');
CREATE TRIGGER access_changed AFTER INSERT OR DELETE OR UPDATE OF confirmed_at ON mfa_totp
  FOR EACH STATEMENT EXECUTE FUNCTION notify_channel('access_changed');
CREATE TRIGGER access_changed AFTER UPDATE OF ended_at, expires_at OR DELETE ON oauth_grants
  FOR EACH STATEMENT EXECUTE FUNCTION notify_channel('access_changed');
CREATE TRIGGER access_changed AFTER INSERT OR DELETE ON passkeys
  FOR EACH STATEMENT EXECUTE FUNCTION notify_channel('access_changed');
CREATE TRIGGER access_changed AFTER UPDATE OF suspended_at, is_operator ON tenants
  FOR EACH STATEMENT EXECUTE FUNCTION notify_channel('access_changed');

-- Written by draw_rate only.
CREATE UNLOGGED TABLE rate_limits (bucket text PRIMARY KEY, used integer NOT NULL, ends_at timestamptz(6) NOT NULL);

-- System settings have no tenant; the settings of a tenant have its id as their scope id.
CREATE TABLE settings (
  id uuid PRIMARY KEY, scope text NOT NULL CHECK (scope IN ('system', 'tenant', 'project')), tenant_id uuid,
  scope_id text NOT NULL, key text NOT NULL, value jsonb, sensitive boolean NOT NULL DEFAULT false,
  encrypted_value bytea, updated_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, updated_by uuid,
  CONSTRAINT settings_scope_tenant CHECK ((scope = 'system') = (tenant_id IS NULL) AND (scope <> 'tenant' OR scope_id = tenant_id::text))
);
CREATE INDEX settings_tenant_id_idx ON settings (tenant_id);
CREATE UNIQUE INDEX settings_scope_scope_id_key_key ON settings (scope, scope_id, key);

-- ==== Projects and sessions

CREATE TABLE projects (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE RESTRICT ON UPDATE CASCADE,
  display_name text NOT NULL, git_remote text, created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX projects_tenant_id_idx ON projects (tenant_id);

CREATE TABLE project_aliases (
  tenant_id uuid, alias text,
  project_id uuid NOT NULL REFERENCES projects ON DELETE CASCADE ON UPDATE CASCADE,
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (tenant_id, alias)
);
CREATE INDEX project_aliases_project_id_idx ON project_aliases (project_id);

-- Every capture writes its session. An index on columns that change with each capture would make each capture write all indexes of the row, so the
-- sweep reads the few active sessions instead; the free space in each page takes new row versions.
CREATE TABLE sessions (
  id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES tenants ON DELETE RESTRICT ON UPDATE CASCADE,
  user_id uuid NOT NULL REFERENCES users ON DELETE RESTRICT ON UPDATE CASCADE,
  project_id uuid REFERENCES projects ON DELETE RESTRICT ON UPDATE CASCADE, host text NOT NULL,
  external_id text NOT NULL, namespace text NOT NULL DEFAULT 'default', title text,
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'ended', 'archived', 'deleted')),
  phase text NOT NULL DEFAULT 'active' CHECK (phase IN ('active', 'summarising', 'closing', 'settled', 'cancelled')),
  waiting_reason text, last_error text, infer boolean NOT NULL DEFAULT true, model text,
  token_count integer NOT NULL DEFAULT 0, prompt_count integer NOT NULL DEFAULT 0,
  observation_count integer NOT NULL DEFAULT 0, last_seq integer NOT NULL DEFAULT 0,
  consumed_seq integer NOT NULL DEFAULT 0, windowed_seq integer NOT NULL DEFAULT 0,
  learned_seq integer NOT NULL DEFAULT 0, last_hash bytea, last_row_id uuid, last_prompt_id uuid, workflow_id text,
  metadata jsonb NOT NULL DEFAULT '{}', started_at timestamptz(6) NOT NULL, last_event_at timestamptz(6) NOT NULL,
  updated_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, ended_at timestamptz(6),
  capture boolean NOT NULL DEFAULT true, restricted_until timestamptz(6), hinted_at timestamptz(6), searchable_at timestamptz(6),
  CONSTRAINT sessions_positions_check CHECK (windowed_seq <= consumed_seq AND consumed_seq <= last_seq)
) WITH (fillfactor = 60);
CREATE INDEX sessions_tenant_id_id_idx ON sessions (tenant_id, id DESC);
CREATE INDEX sessions_user_id_idx ON sessions (user_id);
CREATE INDEX sessions_project_id_id_idx ON sessions (project_id, id DESC);
CREATE INDEX sessions_active_idx ON sessions (id) WHERE status = 'active';
CREATE INDEX sessions_restricted_idx ON sessions (tenant_id) WHERE restricted_until IS NOT NULL;
-- Lists count sessions by status and phase in it alone: the policies of bound keys read the other columns. Few values differ, so equal ones are stored once.
CREATE INDEX sessions_counts_idx ON sessions (tenant_id, status, phase, project_id, namespace);
-- Both times change with the first and the last event of a session only.
CREATE INDEX sessions_started_idx ON sessions (tenant_id, started_at, id);
CREATE INDEX sessions_ended_idx ON sessions (tenant_id, ended_at, id) WHERE ended_at IS NOT NULL;
-- A session belongs to one user (docs/adr/0033-a-session-belongs-to-its-user.md). The user is the last column, so that a look-up by name uses the same index.
CREATE UNIQUE INDEX sessions_tenant_id_host_external_id_user_id_key ON sessions (tenant_id, host, external_id, user_id);

-- ==== Captured events
-- Prompts and observations are partitioned by month of their id. No foreign key points in or out: retention drops full months.

-- Uniqueness of events: spread over sixteen partitions by session, because the tables by month cannot enforce it.
CREATE TABLE capture_keys (
  session_id uuid REFERENCES sessions ON DELETE CASCADE ON UPDATE CASCADE, key text, tenant_id uuid NOT NULL,
  seq integer NOT NULL, kind text NOT NULL CHECK (kind IN ('prompt', 'observation', 'boundary')),
  row_id uuid NOT NULL, source text NOT NULL DEFAULT 'hook',
  PRIMARY KEY (session_id, key)
) PARTITION BY HASH (session_id);
CREATE UNIQUE INDEX capture_keys_session_id_seq_key ON capture_keys (session_id, seq);

CREATE TABLE prompts (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL, session_id uuid NOT NULL, user_id uuid NOT NULL, seq integer NOT NULL,
  type text NOT NULL CHECK (type IN ('user', 'assistant', 'system', 'tool')), content text NOT NULL,
  sha256 bytea NOT NULL, tokens integer NOT NULL, redactions jsonb, search tsvector,
  occurred_at timestamptz(6) NOT NULL, created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, agent_id text,
  agent_type text, data_class text NOT NULL DEFAULT 'internal', metadata jsonb
) PARTITION BY RANGE (id);
CREATE INDEX prompts_session_id_seq_idx ON prompts (session_id, seq);
-- The feed of a user, in order; with the columns that the policies read, so that counting by time reads no rows.
CREATE INDEX prompts_feed_idx ON prompts (tenant_id, user_id, occurred_at, id, session_id);
-- The words are filled in after the capture: a row without them is not indexed.
CREATE INDEX prompts_search_idx ON prompts USING GIN (tenant_id uuid_ops, search) WHERE search IS NOT NULL;

CREATE TABLE observations (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL, session_id uuid NOT NULL, user_id uuid NOT NULL, prompt_id uuid,
  seq integer NOT NULL,
  type text NOT NULL CHECK (type IN ('tool_result', 'error', 'warning', 'info')),
  event text NOT NULL, tool text, title text NOT NULL, content text NOT NULL, preview text NOT NULL, input jsonb,
  importance real NOT NULL DEFAULT 0.5 CHECK (importance BETWEEN 0 AND 1), flagged boolean NOT NULL DEFAULT false,
  tags text[], files_read text[], files_modified text[], agent_id text, agent_type text, key text,
  tokens integer NOT NULL, duration_ms integer,
  data_class text NOT NULL DEFAULT 'internal' CHECK (data_class IN ('public', 'internal', 'sensitive', 'confidential', 'restricted')),
  redactions jsonb, metadata jsonb, search tsvector, occurred_at timestamptz(6) NOT NULL,
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
) PARTITION BY RANGE (id);
CREATE INDEX observations_session_id_seq_idx ON observations (session_id, seq);
CREATE INDEX observations_feed_idx ON observations (tenant_id, user_id, occurred_at, id, session_id);
CREATE INDEX observations_search_idx ON observations USING GIN (tenant_id uuid_ops, search) WHERE search IS NOT NULL;

CREATE TABLE boundaries (
  session_id uuid REFERENCES sessions ON DELETE CASCADE ON UPDATE CASCADE, seq integer, id uuid NOT NULL,
  tenant_id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('session_start', 'turn_end', 'compaction', 'subagent_start', 'subagent_stop', 'session_end', 'other')),
  reason text, agent_id text, agent_type text, occurred_at timestamptz(6) NOT NULL,
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, metadata jsonb,
  PRIMARY KEY (session_id, seq)
);

-- Positions whose capture was traced, with the span that captured them: trace id, span id and flags. Rows last a week.
CREATE TABLE trace_marks (
  session_id uuid REFERENCES sessions ON DELETE CASCADE ON UPDATE CASCADE, seq integer, tenant_id uuid NOT NULL,
  mark bytea NOT NULL, created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (session_id, seq),
  CONSTRAINT trace_marks_mark_check CHECK (octet_length(mark) = 25)
);

CREATE TABLE windows (
  session_id uuid REFERENCES sessions ON DELETE CASCADE ON UPDATE CASCADE, n integer, tenant_id uuid NOT NULL,
  from_seq integer NOT NULL, to_seq integer NOT NULL, tokens integer NOT NULL, reason text NOT NULL,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'batched', 'summarised', 'parked')),
  attempts integer NOT NULL DEFAULT 0, error text, created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (session_id, n),
  CONSTRAINT windows_range_check CHECK (from_seq <= to_seq)
);

-- Hashes of forgotten content: no spool, transcript or restore can store it again.
CREATE TABLE tombstones (
  tenant_id uuid, host text, external_id text, key_sha256 bytea,
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  user_id uuid DEFAULT '00000000-0000-0000-0000-000000000000',
  PRIMARY KEY (tenant_id, host, external_id, user_id, key_sha256),
  CONSTRAINT tombstones_key_is_sha256 CHECK (octet_length(key_sha256) = 32)
);

-- SHA-256 of user, host and external id of sessions in a folder that is excluded from capture. Their events without a folder are not stored. A row
-- is written when a session enters such a folder and deleted when it leaves.
CREATE TABLE excluded_sessions (
  tenant_id uuid, name_sha256 bytea, created_at timestamptz(6) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, name_sha256)
);
-- Every api process reads again whether its sessions are excluded.
CREATE TRIGGER exclusions_changed AFTER INSERT OR DELETE ON excluded_sessions
  FOR EACH STATEMENT EXECUTE FUNCTION notify_channel('exclusions_changed');

-- ==== Summaries and learnings

CREATE TABLE summaries (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL,
  session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE ON UPDATE CASCADE,
  project_id uuid REFERENCES projects ON DELETE RESTRICT ON UPDATE CASCADE, user_id uuid NOT NULL, slot text NOT NULL,
  type text NOT NULL CHECK (type IN ('session', 'topic', 'action', 'item')), kind text, title text NOT NULL,
  content text NOT NULL, request text, investigated text, learned text, completed text, next_steps text, notes text,
  key_points jsonb NOT NULL DEFAULT '[]', action_items jsonb NOT NULL DEFAULT '[]',
  evidence jsonb NOT NULL DEFAULT '[]', tags text[], files_read text[], files_modified text[],
  importance real NOT NULL DEFAULT 0.5, model text NOT NULL, input_tokens integer NOT NULL, output_tokens integer NOT NULL,
  cost_usd numeric(12,6) NOT NULL, quality real, version integer NOT NULL DEFAULT 1,
  published boolean NOT NULL DEFAULT true, window_n integer, from_seq integer NOT NULL, to_seq integer NOT NULL,
  search tsvector GENERATED ALWAYS AS (to_tsvector('english', title || ' ' || content)) STORED,
  occurred_at timestamptz(6) NOT NULL, created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  claims_dropped integer NOT NULL DEFAULT 0, metadata jsonb
);
CREATE INDEX summaries_tenant_id_id_idx ON summaries (tenant_id, id DESC);
CREATE INDEX summaries_project_id_type_id_idx ON summaries (project_id, type, id DESC);
CREATE INDEX summaries_search_idx ON summaries USING GIN (tenant_id uuid_ops, search);
CREATE UNIQUE INDEX summaries_session_id_slot_key ON summaries (session_id, slot);
CREATE INDEX summaries_feed_idx ON summaries (tenant_id, occurred_at, id) WHERE published;
CREATE INDEX summaries_timeline_idx ON summaries (project_id, occurred_at, to_seq, id);
CREATE INDEX summaries_title_idx ON summaries USING GIN (tenant_id uuid_ops, title gin_trgm_ops);

-- A learning that is refined, contradicted or corrected is closed, not deleted: `valid_from` and `valid_to` are when the server believed it,
-- `occurred_at` is the time of its newest evidence.
CREATE TABLE learnings (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL,
  project_id uuid REFERENCES projects ON DELETE RESTRICT ON UPDATE CASCADE, user_id uuid NOT NULL, session_id uuid,
  namespace text NOT NULL DEFAULT 'default', fingerprint bytea NOT NULL,
  category text NOT NULL CHECK (category IN ('pattern', 'solution', 'error', 'config', 'best_practice', 'general')),
  title text NOT NULL, description text NOT NULL, context text NOT NULL DEFAULT '',
  examples jsonb NOT NULL DEFAULT '[]', tags text[], confidence real NOT NULL, use_count integer NOT NULL DEFAULT 0,
  last_used_at timestamptz(6), verified_by uuid, verified_at timestamptz(6), verify_note text,
  valid_from timestamptz(6) NOT NULL, valid_to timestamptz(6), superseded_by uuid, reason text, reopen_reason text,
  search tsvector GENERATED ALWAYS AS (to_tsvector('english', title || ' ' || description || ' ' || context)) STORED,
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  version integer NOT NULL DEFAULT 1 CHECK (version >= 1), previous_id uuid,
  use_weight real NOT NULL DEFAULT 0 CHECK (use_weight >= 0), decayed_on date, occurred_at timestamptz(6),
  last_shown_at timestamptz(6), closed_by uuid, disputes uuid,
  origin text NOT NULL DEFAULT 'extracted' CHECK (origin IN ('extracted', 'user')),
  visibility text NOT NULL DEFAULT 'shared' CHECK (visibility IN ('shared', 'private')), -- private: read by its user and admins
  CONSTRAINT learnings_validity_check CHECK (valid_to IS NULL OR valid_to >= valid_from)
);
CREATE INDEX learnings_project_id_id_idx ON learnings (project_id, id DESC);
CREATE INDEX learnings_session_id_idx ON learnings (session_id);
CREATE INDEX learnings_search_idx ON learnings USING GIN (tenant_id uuid_ops, search);
-- Only current versions are unique: a closed version retains its fingerprint, by which its words are recognised.
CREATE UNIQUE INDEX learnings_tenant_id_fingerprint_key ON learnings (tenant_id, fingerprint) WHERE valid_to IS NULL;
CREATE INDEX learnings_tenant_id_fingerprint_idx ON learnings (tenant_id, fingerprint);
CREATE INDEX learnings_superseded_by_idx ON learnings (superseded_by);
CREATE INDEX learnings_previous_id_idx ON learnings (previous_id);
CREATE INDEX learnings_current_idx ON learnings (tenant_id, project_id, namespace, id DESC) WHERE valid_to IS NULL;
-- Private learnings are compared with those of their owner, which may be few among many.
CREATE INDEX learnings_private_idx ON learnings (tenant_id, user_id, project_id, namespace, id DESC) WHERE visibility = 'private';
CREATE INDEX learnings_tenant_id_id_idx ON learnings (tenant_id, id DESC);
-- The hash of a memory is the last 40 bits of its id. Without the tenant, so that the planner uses it for nothing else: 40 bits match few rows.
CREATE INDEX learnings_hash_idx ON learnings (right(id::text, 10));
-- A timeline reads on from a moment, in its order.
CREATE INDEX learnings_timeline_idx ON learnings (tenant_id, project_id, namespace, valid_from, id) WHERE valid_to IS NULL;
CREATE INDEX learnings_feed_idx ON learnings (tenant_id, valid_from, id) WHERE valid_to IS NULL;
CREATE INDEX learnings_title_idx ON learnings USING GIN (tenant_id uuid_ops, title gin_trgm_ops);

CREATE TABLE learning_evidence (
  learning_id uuid REFERENCES learnings ON DELETE CASCADE ON UPDATE CASCADE, row_id uuid, quote_sha256 bytea,
  tenant_id uuid NOT NULL, session_id uuid NOT NULL, quote text NOT NULL, weight real NOT NULL DEFAULT 1,
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (learning_id, row_id, quote_sha256)
);
CREATE INDEX learning_evidence_session_id_idx ON learning_evidence (session_id);

-- ==== Graph
-- Weights are computed from the evidence rows, so that writing part of a session again changes nothing.

CREATE TABLE entities (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL,
  project_id uuid REFERENCES projects ON DELETE RESTRICT ON UPDATE CASCADE, namespace text NOT NULL DEFAULT 'default',
  type text NOT NULL CHECK (type IN ('concept', 'tool', 'error', 'solution', 'project', 'file')),
  name text NOT NULL, label text NOT NULL, weight real NOT NULL DEFAULT 0, first_seen timestamptz(6) NOT NULL,
  last_seen timestamptz(6) NOT NULL, created_at timestamptz(6) NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX entities_name_key ON entities (tenant_id, project_id, namespace, type, name) NULLS NOT DISTINCT;
CREATE INDEX entities_project_id_weight_idx ON entities (project_id, weight DESC);
CREATE INDEX entities_tenant_id_weight_idx ON entities (tenant_id, weight DESC);
CREATE INDEX entities_name_idx ON entities USING GIN (tenant_id uuid_ops, name gin_trgm_ops);

CREATE TABLE entity_mentions (
  entity_id uuid REFERENCES entities ON DELETE CASCADE ON UPDATE CASCADE, session_id uuid, source_id uuid,
  source_type text NOT NULL CHECK (source_type IN ('prompt', 'observation', 'summary', 'learning')),
  tenant_id uuid NOT NULL, quote text, occurred_at timestamptz(6) NOT NULL,
  PRIMARY KEY (entity_id, session_id, source_id)
);
CREATE INDEX entity_mentions_session_id_idx ON entity_mentions (session_id);
CREATE INDEX entity_mentions_newest_idx ON entity_mentions (entity_id, occurred_at DESC, source_id);
-- Retention of a month finds its mentions by the ids of rows.
CREATE INDEX entity_mentions_source_id_idx ON entity_mentions (source_id);

CREATE TABLE relations (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL,
  from_id uuid NOT NULL REFERENCES entities ON DELETE CASCADE ON UPDATE CASCADE,
  to_id uuid NOT NULL REFERENCES entities ON DELETE CASCADE ON UPDATE CASCADE,
  type text NOT NULL CHECK (type IN ('uses', 'solves', 'causes', 'related_to', 'part_of')),
  weight real NOT NULL DEFAULT 0, first_seen timestamptz(6) NOT NULL, last_seen timestamptz(6) NOT NULL,
  created_at timestamptz(6) NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX relations_ends_key ON relations (from_id, to_id, type);
CREATE INDEX relations_from_id_weight_id_idx ON relations (from_id, weight DESC, id);
CREATE INDEX relations_to_id_weight_id_idx ON relations (to_id, weight DESC, id);

CREATE TABLE relation_evidence (
  relation_id uuid REFERENCES relations ON DELETE CASCADE ON UPDATE CASCADE, session_id uuid, source_id uuid,
  source_type text NOT NULL CHECK (source_type IN ('prompt', 'observation', 'summary', 'learning')),
  tenant_id uuid NOT NULL, quote text, occurred_at timestamptz(6) NOT NULL,
  PRIMARY KEY (relation_id, session_id, source_id)
);
CREATE INDEX relation_evidence_session_id_idx ON relation_evidence (session_id);
CREATE INDEX relation_evidence_newest_idx ON relation_evidence (relation_id, occurred_at DESC, source_id);
CREATE INDEX relation_evidence_source_id_idx ON relation_evidence (source_id);

-- Frozen for a day, because the prefix of the model prompts must be byte-identical in all windows of a project.
CREATE TABLE project_glossaries (
  project_id uuid REFERENCES projects ON DELETE CASCADE ON UPDATE CASCADE, namespace text DEFAULT 'default', day date,
  tenant_id uuid NOT NULL, names text[], created_at timestamptz(6) NOT NULL DEFAULT now(),
  PRIMARY KEY (project_id, namespace, day)
);

-- ==== Served context

-- No foreign key: a context is written while an agent waits, and outlives the memories that it served. Serving alone does not count as use.
CREATE TABLE contexts (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL, user_id uuid NOT NULL, session_id uuid, project_id uuid,
  purpose text NOT NULL CHECK (purpose IN ('session_start', 'prompt', 'file')),
  tokens integer NOT NULL, item_ids uuid[], item_types text[],
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, subject_sha256 bytea, -- of the prompt or path; null: neither
 
  item_passages text[] DEFAULT '{}', -- e.g. "0 3 4"; empty: the item was served as one line
  item_reasons text[] DEFAULT '{}', item_tokens integer[] DEFAULT '{}', -- the product's own words, never captured text
  CONSTRAINT contexts_items_check CHECK (cardinality(item_ids) = cardinality(item_types))
);
-- Ids are ordered by time: retention reads them in this order.
CREATE INDEX contexts_tenant_id_id_idx ON contexts (tenant_id, id DESC);
-- A session is not served the same passage twice.
CREATE INDEX contexts_session_id_id_idx ON contexts (session_id, id DESC);
CREATE INDEX contexts_user_id_id_idx ON contexts (user_id, id DESC);
CREATE INDEX contexts_project_id_id_idx ON contexts (project_id, id DESC);

-- Repeated feedback on one context is one row.
CREATE TABLE memory_uses (
  context_id uuid REFERENCES contexts ON DELETE CASCADE ON UPDATE CASCADE, resource_id uuid,
  kind text CHECK (kind IN ('useful', 'wrong', 'fetched')), tenant_id uuid NOT NULL, user_id uuid NOT NULL,
  resource_type text NOT NULL, weight real NOT NULL DEFAULT 0, note text,
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (context_id, resource_id, kind)
);
-- Ranking ignores the uses of the current day.
CREATE INDEX memory_uses_resource_id_created_at_idx ON memory_uses (resource_id, created_at);

-- ==== Vectors

CREATE TABLE embeddings (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL, session_id uuid, resource_type text NOT NULL,
  resource_id uuid NOT NULL, chunk integer NOT NULL, model text NOT NULL, dimension integer NOT NULL,
  content_hash bytea NOT NULL,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'indexed', 'failed', 'withheld', 'filling')),
  object_id uuid NOT NULL, attempts integer NOT NULL DEFAULT 0, error text,
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, indexed_at timestamptz(6), failed_at timestamptz(6),
  revision integer NOT NULL DEFAULT 0, embedded_hash bytea, occurred_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT embeddings_embedded_hash_is_sha256 CHECK (octet_length(embedded_hash) = 32)
);
CREATE INDEX embeddings_pending_idx ON embeddings (tenant_id, model, occurred_at, id) WHERE state = 'pending';
CREATE INDEX embeddings_session_pending_idx ON embeddings (session_id) WHERE state = 'pending';
CREATE UNIQUE INDEX embeddings_resource_id_chunk_model_key ON embeddings (resource_id, chunk, model);
-- Nearly always empty, and read with every batch of vectors.
CREATE INDEX embeddings_failed_idx ON embeddings (session_id) WHERE state IN ('failed', 'withheld');
CREATE INDEX embeddings_hash_idx ON embeddings (tenant_id, right(resource_id::text, 10)) WHERE chunk = 0;
CREATE INDEX embeddings_filling_idx ON embeddings (tenant_id, model, id) WHERE state = 'filling';
-- Every memory of an index once, in the order of the requests.
CREATE INDEX embeddings_memories_idx ON embeddings (tenant_id, model, id) WHERE chunk = 0;
CREATE INDEX embeddings_embedded_hash_idx ON embeddings (tenant_id, embedded_hash) WHERE embedded_hash IS NOT NULL;
-- The order of the objects in the vector index: the consistency check merges both.
CREATE INDEX embeddings_objects_idx ON embeddings (tenant_id, model, object_id);

-- Chunks that left the ledger and remain in the vector index and the cache until they are removed there. A table of its own: a new state in the ledger
-- would write an entry in each of its indexes. The order of the key is nearly that of the requests.
CREATE TABLE embedding_removals (
  tenant_id uuid, resource_id uuid, id uuid, -- of its row in the ledger
  model text NOT NULL, object_id uuid NOT NULL, embedded_hash bytea,
  PRIMARY KEY (tenant_id, resource_id, id)
);

-- The index that a tenant is searched in, and the one that is built beside it.
CREATE TABLE embedding_indexes (
  tenant_id uuid PRIMARY KEY, serving_model text NOT NULL, serving_dimension integer NOT NULL,
  target_model text, -- the index that is built; null: none
  target_dimension integer, started_at timestamptz(6), fill_after uuid, fill_count integer NOT NULL DEFAULT 0,
  fill_total integer NOT NULL DEFAULT 0, filled_at timestamptz(6), error text, retry_at timestamptz(6),
  retired_model text, -- the index that was served before; deleted at `retire_at`
  retire_at timestamptz(6), switched_at timestamptz(6), rewrite_before timestamptz(6), rewrite_after uuid,
  CONSTRAINT embedding_indexes_retired_check CHECK ((retired_model IS NULL) = (retire_at IS NULL) AND retired_model <> serving_model),
  CONSTRAINT embedding_indexes_target_check CHECK ((target_model IS NULL) = (target_dimension IS NULL) AND target_model <> serving_model AND target_model <> retired_model)
);

CREATE TABLE embedding_cache (
  tenant_id uuid,
  model text, -- without the version of chunking, which does not change the vector of a text
  content_hash bytea,
  vector bytea NOT NULL, -- 16-bit floats, little-endian
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (tenant_id, model, content_hash),
  CONSTRAINT embedding_cache_content_hash_is_sha256 CHECK (octet_length(content_hash) = 32)
);
CREATE INDEX embedding_cache_tenant_id_created_at_idx ON embedding_cache (tenant_id, created_at);

CREATE TABLE embedding_counts (
  tenant_id uuid, model text, texts bigint NOT NULL DEFAULT 0, cache_hits bigint NOT NULL DEFAULT 0,
  batches bigint NOT NULL DEFAULT 0, seconds double precision NOT NULL DEFAULT 0, indexed_at timestamptz(6),
  PRIMARY KEY (tenant_id, model)
);

-- ==== Model calls

CREATE TABLE usage_ledger (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL, user_id uuid, session_id uuid, operation text NOT NULL,
  provider text NOT NULL, model text NOT NULL, input_tokens integer NOT NULL, output_tokens integer NOT NULL,
  tokens_cached integer NOT NULL, cost_usd numeric(12,6) NOT NULL, cache_hit boolean NOT NULL DEFAULT false,
  batch boolean NOT NULL DEFAULT false, latency_ms integer NOT NULL,
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, tokens_cache_written integer NOT NULL DEFAULT 0
) PARTITION BY RANGE (id);
CREATE INDEX usage_ledger_tenant_id_created_at_idx ON usage_ledger (tenant_id, created_at);
CREATE INDEX usage_ledger_session_id_idx ON usage_ledger (session_id);
CREATE INDEX usage_ledger_tenant_id_user_id_created_at_idx ON usage_ledger (tenant_id, user_id, created_at);

-- Tokens of running calls. A row counts until it expires, so that the tokens of a killed worker become free without a clean-up.
CREATE TABLE usage_reservations (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE,
  tokens integer NOT NULL CHECK (tokens >= 0), provider text NOT NULL,
  batch boolean NOT NULL DEFAULT false, -- calls of a provider batch do not count as concurrent
  expires_at timestamptz(6) NOT NULL, created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX usage_reservations_user_id_expires_at_idx ON usage_reservations (user_id, expires_at);
CREATE INDEX usage_reservations_live_idx ON usage_reservations (expires_at) WHERE NOT batch;

CREATE TABLE model_response_cache (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL,
  session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE ON UPDATE CASCADE, -- forgetting rows of the session deletes the answer
  prompt_version text NOT NULL, request_sha256 bytea NOT NULL, response text NOT NULL, provider text NOT NULL,
  model text NOT NULL,
  tokens integer NOT NULL, -- saved by a cache hit
  signature bytea CHECK (octet_length(signature) = 512), -- 128 integers of 32 bits, little-endian; null: identical questions only
  novel_words integer NOT NULL DEFAULT 0, -- distinct words of the answer that its question does not contain
  unreadable jsonb, created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, expires_at timestamptz(6) NOT NULL,
  CONSTRAINT model_response_cache_request_is_sha256 CHECK (octet_length(request_sha256) = 32)
);
CREATE UNIQUE INDEX model_response_cache_tenant_id_prompt_version_request_sha25_key ON model_response_cache (tenant_id, prompt_version, request_sha256);
CREATE INDEX model_response_cache_session_id_idx ON model_response_cache (session_id);
CREATE INDEX model_response_cache_tenant_id_expires_at_idx ON model_response_cache (tenant_id, expires_at);

-- Nearly identical questions share a key: a hash of the instructions version, the order of events and one band of the signature. One row a key,
-- because under a policy an index serves leakproof operators only: equality of bigint is leakproof, overlap of arrays is not.
CREATE TABLE model_response_bands (
  tenant_id uuid, key bigint,
  response_id uuid REFERENCES model_response_cache ON DELETE CASCADE ON UPDATE CASCADE,
  PRIMARY KEY (tenant_id, key, response_id)
);
CREATE INDEX model_response_bands_response_id_idx ON model_response_bands (response_id);

-- Windows of many sessions of one tenant, sent together at a lower price. The windows are fixed before they are sent, so that a retry continues with
-- the same calls.
CREATE TABLE model_batches (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL, n integer NOT NULL,
  state text NOT NULL DEFAULT 'gathering' CHECK (state IN ('gathering', 'submitting', 'sent', 'ended')),
  provider_batch_id text, calls integer NOT NULL DEFAULT 0,
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, sent_at timestamptz(6), ended_at timestamptz(6)
);
CREATE UNIQUE INDEX model_batches_tenant_id_n_key ON model_batches (tenant_id, n);
-- One batch a tenant gathers windows. The sweep reads the other open ones, which are few.
CREATE UNIQUE INDEX model_batches_gathering_key ON model_batches (tenant_id) WHERE state = 'gathering';
CREATE UNIQUE INDEX model_batches_provider_batch_id_key ON model_batches (provider_batch_id);
CREATE INDEX model_batches_open_idx ON model_batches (updated_at) WHERE state <> 'ended';

CREATE TABLE model_batch_calls (
  batch_id uuid REFERENCES model_batches ON DELETE CASCADE ON UPDATE CASCADE,
  session_id uuid REFERENCES sessions ON DELETE CASCADE ON UPDATE CASCADE, window_n integer, tenant_id uuid NOT NULL,
  user_id uuid NOT NULL, reservation_id uuid, forgotten integer,
  state text NOT NULL DEFAULT 'assigned' CHECK (state IN ('assigned', 'summarised', 'parked', 'requeued')),
  updated_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  PRIMARY KEY (batch_id, session_id, window_n)
);
CREATE INDEX model_batch_calls_session_id_idx ON model_batch_calls (session_id);

CREATE TABLE system_alerts (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL,
  user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE,
  type text NOT NULL CHECK (type IN ('budget_threshold', 'restore_drill_failed', 'retention_dry_run', 'audit_log_fault', 'gdpr_deadline')),
  day date NOT NULL, -- UTC
  details jsonb NOT NULL DEFAULT '{}', created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX system_alerts_user_id_type_day_key ON system_alerts (user_id, type, day);
CREATE INDEX system_alerts_tenant_id_id_idx ON system_alerts (tenant_id, id DESC);

-- ==== Event stream

-- Changes that open streams report: ids, counters and states, never content. A row is written in the transaction of the change (stream_inserted,
-- stream_updated, capture_events) and gets its position after the commit, so that positions become visible in their order (number_stream_events). Rows
-- last a day.
CREATE TABLE stream_events (
  id uuid PRIMARY KEY DEFAULT uuidv7(), tenant_id uuid NOT NULL,
  position bigint, -- null until a reader numbers it
  type text NOT NULL CHECK (type IN ('session.created', 'session.updated', 'observation.added', 'summary.generated', 'learning.extracted', 'task.completed', 'search.index_updated', 'system.alert')),
  user_id uuid NOT NULL, -- whose change it is; the zero id: no user's
  private boolean NOT NULL, -- visible to its user and admins only
  project_id uuid, namespace text, session_id uuid, subject_id uuid,
  data jsonb NOT NULL DEFAULT '{}', occurred_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX stream_events_position_key ON stream_events (tenant_id, position) WHERE position IS NOT NULL;
CREATE INDEX stream_events_unnumbered_idx ON stream_events (id) WHERE position IS NULL;
-- For erasures alone: without it each erased session reads all events of a day. It costs less than a microsecond per event written.
CREATE INDEX stream_events_session_id_idx ON stream_events (session_id);

-- The last position, and the one after which no row is missing: one row, which the first reader writes. Positions begin at the microseconds of that
-- moment, so that those of a restored database follow all earlier ones.
CREATE TABLE stream_clock (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  last_position bigint NOT NULL, kept_after bigint NOT NULL,
  read_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP -- without a reader there are no notifications
);

-- ==== Transcripts, imports and exports

-- Paths are hashed because they are long.
CREATE TABLE transcript_files (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL, user_id uuid NOT NULL, path_sha256 bytea NOT NULL,
  machine text NOT NULL DEFAULT '', -- empty: this server
  path text NOT NULL,
  fingerprint text NOT NULL, -- detects another file at the same path
  size bigint NOT NULL DEFAULT 0, modified_at timestamptz(6) NOT NULL, read_offset bigint NOT NULL DEFAULT 0,
  counted_offset bigint NOT NULL DEFAULT 0,
  open boolean NOT NULL DEFAULT true, -- the end of the file is unfinished
  counts jsonb NOT NULL DEFAULT '{}', session_id uuid, seen_seq integer NOT NULL DEFAULT 0,
  import_id uuid, -- the last import that read it
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT transcript_files_offsets CHECK (read_offset >= 0 AND counted_offset >= 0 AND size >= 0),
  CONSTRAINT transcript_files_path_is_sha256 CHECK (octet_length(path_sha256) = 32)
);
CREATE UNIQUE INDEX transcript_files_tenant_id_user_id_path_sha256_key ON transcript_files (tenant_id, user_id, path_sha256);
CREATE INDEX transcript_files_session_id_idx ON transcript_files (session_id);

-- A copy of a prompt in the transcript of another session is recognised by its uuid.
CREATE TABLE transcript_prompts (
  tenant_id uuid, uuid text,
  session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE ON UPDATE CASCADE,
  row_id uuid, hashes bytea[], occurred_at timestamptz(6),
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, user_id uuid,
  PRIMARY KEY (tenant_id, user_id, uuid)
);
CREATE INDEX transcript_prompts_session_id_idx ON transcript_prompts (session_id);

CREATE TABLE imports (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL, user_id uuid NOT NULL, kind text NOT NULL,
  options jsonb NOT NULL DEFAULT '{}',
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'completed', 'failed', 'cancelled')),
  counts jsonb NOT NULL DEFAULT '{}', error text, created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, finished_at timestamptz(6)
);
CREATE INDEX imports_tenant_id_id_idx ON imports (tenant_id, id DESC);

-- Natural keys of rows that were imported from another memory database, without content: no row is imported twice, and none returns after it was
-- forgotten, changed or expired.
CREATE TABLE imported_rows (
  tenant_id uuid, source text, source_table text, source_id bigint, created_at timestamptz(6) NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant_id, source, source_table, source_id)
);

CREATE TABLE exports (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL,
  user_id uuid NOT NULL, -- only this user can download it
  scope text NOT NULL CHECK (scope IN ('tenant', 'project', 'user', 'session')),
  subject uuid,
  include_restricted boolean NOT NULL DEFAULT false, -- with other users' rows of restricted classes
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'completed', 'failed', 'cancelled', 'expired')),
  object_key text NOT NULL, bytes bigint NOT NULL DEFAULT 0,
  sha256 bytea CHECK (octet_length(sha256) = 32), -- of the stored file; null until it is complete
  counts jsonb NOT NULL DEFAULT '{}', error text, created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, finished_at timestamptz(6),
  expires_at timestamptz(6) NOT NULL
);
CREATE INDEX exports_tenant_id_id_idx ON exports (tenant_id, id DESC);
CREATE INDEX exports_expires_at_idx ON exports (expires_at) WHERE state <> 'expired';

-- ==== Backups and restores
-- These tables belong to the instance, not to a tenant, and no backup set contains them.

CREATE TABLE backups (
  id uuid PRIMARY KEY,
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'completed', 'failed', 'cancelled')),
  requested_by uuid, -- a user; null: the schedule. No foreign key: the row outlives the user
  workflow_id text NOT NULL, created_at timestamptz(6) NOT NULL DEFAULT now(),
  started_at timestamptz(6), -- start of the last attempt
  finished_at timestamptz(6), snapshot_at timestamptz(6), files integer NOT NULL DEFAULT 0,
  rows bigint NOT NULL DEFAULT 0, vectors bigint NOT NULL DEFAULT 0, bytes bigint NOT NULL DEFAULT 0,
  plain_bytes bigint NOT NULL DEFAULT 0,
  key_id text, -- null: not encrypted
  manifest_sha256 bytea CHECK (octet_length(manifest_sha256) = 32), -- of manifest.json as stored; null: no complete set
  verified_at timestamptz(6), verified_how text CHECK (verified_how IN ('read', 'drill')), verify_error text,
  copied_at timestamptz(6), copy_verified_at timestamptz(6),
  removed_at timestamptz(6), -- its files were deleted
  error text -- type of the failure
);
CREATE INDEX backups_created_at_id_idx ON backups (created_at DESC, id DESC);

-- Files of archived sessions beside the backup sets, each stored once for all sets.
CREATE TABLE backup_files (
  sha256 text, -- of the file in the archive store
  key_id text, -- empty: not encrypted
  stored_sha256 text NOT NULL, -- of the bytes beside the sets
  copied_at timestamptz(6),
  unneeded_at timestamptz(6), -- since then no archive names it; older sets still do
  created_at timestamptz(6) NOT NULL DEFAULT now(),
  PRIMARY KEY (sha256, key_id)
);

CREATE TABLE restores (
  id uuid PRIMARY KEY, kind text NOT NULL CHECK (kind IN ('restore', 'drill')),
  backup_id uuid, -- null until the newest backup is found
  store text, -- null: the instance's own store
  signer text, -- fingerprint of a signer that is trusted for this restore only
  overwrite boolean NOT NULL DEFAULT false, -- replace an instance that has sessions or learnings
  dry_run boolean NOT NULL DEFAULT false, -- read every byte of the set, change nothing
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'completed', 'failed', 'cancelled')),
  phase text NOT NULL DEFAULT 'checking' CHECK (phase IN ('checking', 'copying', 'indexing', 'verifying', 'vectors', 'swapping', 'resuming')),
  counts jsonb NOT NULL DEFAULT '{}', result jsonb,
  error text, -- type of the failure
  message text, -- names files, never their content
  requested_by uuid, -- a user; null: the schedule. No foreign key: the row outlives the user
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, finished_at timestamptz(6)
);
-- One restore at a time.
CREATE UNIQUE INDEX restores_running_key ON restores (state) WHERE state = 'running';

-- ==== Retention and erasure

CREATE TABLE retention_policies (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL,
  project_id uuid REFERENCES projects ON DELETE CASCADE ON UPDATE CASCADE,
  resource text NOT NULL CHECK (resource IN ('session', 'observation', 'prompt', 'usage', 'summary', 'learning', 'context', 'import', 'alert', 'tombstone', 'excluded_session')),
  data_class text CHECK (data_class IN ('public', 'internal', 'sensitive', 'confidential', 'restricted')),
  age_days integer NOT NULL,
  action text NOT NULL CHECK (action IN ('keep', 'decay', 'archive', 'delete')),
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, created_by uuid,
  CONSTRAINT retention_policies_age_check CHECK (age_days BETWEEN 1 AND 36500)
);
CREATE UNIQUE INDEX retention_policies_rule_key ON retention_policies (tenant_id, resource, project_id, data_class) NULLS NOT DISTINCT;
CREATE INDEX retention_policies_project_id_idx ON retention_policies (project_id);

-- A hold outlives its subject, so the subject is not a foreign key.
CREATE TABLE legal_holds (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL,
  subject text NOT NULL CHECK (subject IN ('tenant', 'project', 'session', 'user')),
  subject_id uuid NOT NULL, reason text NOT NULL, created_by uuid NOT NULL,
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, released_by uuid, released_at timestamptz(6)
);
CREATE INDEX legal_holds_tenant_id_id_idx ON legal_holds (tenant_id, id DESC);
CREATE INDEX legal_holds_active_idx ON legal_holds (tenant_id) WHERE released_at IS NULL;

CREATE TABLE retention_runs (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL, group_id uuid NOT NULL,
  mode text NOT NULL CHECK (mode IN ('dry_run', 'run')),
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'completed', 'failed', 'cancelled')),
  policy_hash bytea NOT NULL, reference_time timestamptz(6) NOT NULL, user_id uuid, error text,
  cursor jsonb, -- written in the transaction that counts the rows
  approved_by uuid, approved_at timestamptz(6), created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  finished_at timestamptz(6),
  CONSTRAINT retention_runs_hash_is_sha256 CHECK (octet_length(policy_hash) = 32)
);
CREATE UNIQUE INDEX retention_runs_group_id_tenant_id_key ON retention_runs (group_id, tenant_id);
CREATE INDEX retention_runs_tenant_id_id_idx ON retention_runs (tenant_id, id DESC);

CREATE TABLE retention_counts (
  id uuid PRIMARY KEY DEFAULT uuidv7(),
  run_id uuid NOT NULL REFERENCES retention_runs ON DELETE CASCADE ON UPDATE CASCADE,
  tenant_id uuid NOT NULL,
  rule text NOT NULL, -- id of a policy, or default
  resource text NOT NULL, action text NOT NULL, project_id uuid,
  data_class text NOT NULL DEFAULT '', -- empty: the resource has no classes
  month date NOT NULL, rows bigint NOT NULL, bytes bigint NOT NULL
);
CREATE UNIQUE INDEX retention_counts_group_key ON retention_counts (run_id, rule, resource, action, project_id, data_class, month) NULLS NOT DISTINCT;

-- The index entry of an archived session: search finds it while the rows are in the archive store.
CREATE TABLE archives (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL,
  session_id uuid NOT NULL REFERENCES sessions ON DELETE CASCADE ON UPDATE CASCADE,
  project_id uuid REFERENCES projects ON DELETE SET NULL ON UPDATE CASCADE, user_id uuid NOT NULL,
  title text NOT NULL,
  heads text NOT NULL, -- first lines of the session's summaries
  started_at timestamptz(6) NOT NULL, ended_at timestamptz(6) NOT NULL,
  counts jsonb NOT NULL, -- rows by table
  object_key text NOT NULL, object_bytes bigint NOT NULL, object_sha256 bytea NOT NULL,
  lines_sha256 bytea NOT NULL, -- of the uncompressed lines
  full_value_sha256 text[] NOT NULL DEFAULT ARRAY[]::text[], -- SHA-256 of the full values of truncated rows
  search tsvector GENERATED ALWAYS AS (to_tsvector('english', title || ' ' || heads)) STORED,
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX archives_session_id_key ON archives (session_id);
CREATE INDEX archives_tenant_id_id_idx ON archives (tenant_id, id DESC);
CREATE INDEX archives_project_id_idx ON archives (project_id);
CREATE INDEX archives_search_idx ON archives USING GIN (tenant_id uuid_ops, search);

-- Full values whose truncated rows expired: each is deleted when no row names it.
CREATE TABLE expired_full_values (
  tenant_id uuid, sha256 text,
  PRIMARY KEY (tenant_id, sha256)
);

-- No foreign key: a row outlives the user or tenant that it erased.
CREATE TABLE erasures (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL,
  requested_by uuid, -- null if the erasure included that user
  kind text NOT NULL CHECK (kind IN ('session', 'user', 'tenant', 'text')),
  subject uuid, -- session, user or tenant; null for a text, and after the erasure of a user
  search_text text, -- the text; null after the erasure
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'completed', 'failed', 'cancelled')),
  phase text NOT NULL DEFAULT 'queued', -- queued, journalled, rows, vectors, files, completed
  found jsonb, -- ids, never content; null after the erasure
  counts jsonb NOT NULL DEFAULT '{}', receipt jsonb, error text,
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, finished_at timestamptz(6)
);
CREATE INDEX erasures_tenant_id_id_idx ON erasures (tenant_id, id DESC);

-- What people requested about their data, with deadlines. Erasures and exports have a row of the same id. No foreign key: a row outlives the user.
CREATE TABLE gdpr_requests (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL,
  user_id uuid, -- whose data; null for a tenant or a text, and after the erasure of the user
  requested_by uuid, -- null after the erasure of that user
  right_name text NOT NULL CHECK (right_name IN ('erase', 'export', 'restrict', 'rectify')),
  kind text NOT NULL CHECK (kind IN ('session', 'user', 'tenant', 'text', 'memory')),
  state text NOT NULL CHECK (state IN ('waiting', 'running', 'completed', 'declined', 'failed', 'cancelled')),
  body jsonb, -- what waits for a decision, redacted; null otherwise
  due_at timestamptz(6) NOT NULL, extended_days integer, extension_reason text,
  decided_by uuid, decided_at timestamptz(6), decision_reason text,
  receipt jsonb, -- signed; the receipt of an erasure is in its own row
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, finished_at timestamptz(6)
);
CREATE INDEX gdpr_requests_tenant_id_id_idx ON gdpr_requests (tenant_id, id DESC);
CREATE INDEX gdpr_requests_due_idx ON gdpr_requests (due_at) WHERE finished_at IS NULL;

-- Signed entries in a chain, also stored beside the backup sets. The journal has no tenant, because it outlives the erasure of one, and continues
-- with whichever database is running.
CREATE TABLE erasure_journal (
  sequence integer PRIMARY KEY CHECK (sequence > 0), -- from 1, without gaps
  journal_id uuid NOT NULL, -- the same in all rows
  erasure_id uuid, -- null in the first entry
  object text NOT NULL, -- the text of the entry with its signature
  entry_sha256 text NOT NULL CHECK (entry_sha256 ~ '^[0-9a-f]{64}$'), -- the next entry names it
  stored_at timestamptz(6), -- null until every store has the entry
  created_at timestamptz(6) NOT NULL DEFAULT now()
);
CREATE INDEX erasure_journal_erasure_id_idx ON erasure_journal (erasure_id);

-- ==== Consistency checks and statistics

-- One row a tenant and run.
CREATE TABLE consistency_checks (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL, user_id uuid,
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'completed', 'failed', 'cancelled')),
  repair boolean NOT NULL DEFAULT false, rows bigint NOT NULL DEFAULT 0,
  found jsonb NOT NULL DEFAULT '{}', -- differences by kind
  repaired jsonb NOT NULL DEFAULT '{}', error text, created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  updated_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, finished_at timestamptz(6)
);
CREATE INDEX consistency_checks_tenant_id_id_idx ON consistency_checks (tenant_id, id DESC);

CREATE TABLE stats_snapshots (
  id uuid PRIMARY KEY, tenant_id uuid, date date NOT NULL, metric text NOT NULL,
  dimensions jsonb NOT NULL DEFAULT '{}', value double precision NOT NULL,
  created_at timestamptz(6) NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX stats_snapshots_value_key ON stats_snapshots (tenant_id, date, metric, dimensions) NULLS NOT DISTINCT;

-- What the instance did in five minutes, for a day: one row of the worker that swept, and one of each api process. Numbers only; no tenant's content.
CREATE TABLE instance_samples (
  slot timestamptz(6), -- start of the five minutes
  source text, -- 'worker', or 'api:' and an id of the process
  figures jsonb NOT NULL, -- counters since the start of the process, and gauges, by name
  taken_at timestamptz(6) NOT NULL DEFAULT now(),
  PRIMARY KEY (slot, source)
);

-- ==== Audit log

-- One row a request that changed something, revealed data of people or was refused: a chain of hashes per tenant, which append_audit writes. No foreign key:
-- a row outlives the user, the key and the subject. The actor is not called user_id, because erasure empties or deletes what has that column.
CREATE TABLE audit_log (
  id uuid PRIMARY KEY, tenant_id uuid NOT NULL,
  seq bigint NOT NULL CHECK (seq > 0), -- of the tenant, from 1, without gaps
  occurred_at timestamptz(6) NOT NULL, actor_id uuid,
  credential_kind text, credential_id uuid, -- 'key', 'session' or 'grant', and its id
  action text NOT NULL, -- method and route pattern
  subject_type text, subject_id text, status integer NOT NULL, request_id text NOT NULL,
  address text, user_agent text, salt uuid, -- null once the person is erased
  origin_sha256 bytea NOT NULL, -- of these three; the hash of the row contains it instead of them
  previous_hash bytea NOT NULL, hash bytea NOT NULL
) PARTITION BY RANGE (id);
CREATE INDEX audit_log_tenant_id_seq_idx ON audit_log (tenant_id, seq);
CREATE INDEX audit_log_tenant_id_actor_id_seq_idx ON audit_log (tenant_id, actor_id, seq);

-- The last row of each chain, and the last row that retention dropped: the rest of the chain begins after it.
CREATE TABLE audit_heads (
  tenant_id uuid PRIMARY KEY, seq bigint NOT NULL DEFAULT 0, hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
  base_seq bigint NOT NULL DEFAULT 0, base_hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
  base_before timestamptz(6) -- end of the last dropped month
);

-- Heads as backups recorded them. Two hashes of one row contradict each other: the chain or a backup was forged.
CREATE TABLE audit_anchors (
  tenant_id uuid, seq bigint, hash bytea, anchored_at timestamptz(6) NOT NULL,
  PRIMARY KEY (tenant_id, seq, hash)
);

-- ==== Partitions
DO $$
BEGIN
  FOR part IN 0..15 LOOP
    EXECUTE format('CREATE TABLE capture_keys_p%s PARTITION OF capture_keys FOR VALUES WITH (MODULUS 16, REMAINDER %s)', lpad(part::text, 2, '0'), part);
  END LOOP;
END
$$;
SELECT ensure_partitions();

-- ==== Row-level security and grants
-- A query without a tenant sees no row; a query with a tenant sees the rows of that tenant. Every table with a tenant has the same policy and the same
-- grants. Grants name parents only: a partition read by its own name would bypass the policy, so PostgreSQL rejects it.
GRANT USAGE ON SCHEMA public TO recollect_app, recollect_maintenance, recollect_definer;
DO $$
DECLARE
  owned text;
BEGIN
  FOR owned IN
    SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', owned);
    EXECUTE format('CREATE POLICY tenant_isolation ON %I USING (tenant_id = (SELECT current_tenant_id())) WITH CHECK (tenant_id = (SELECT current_tenant_id()))', owned);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO recollect_app, recollect_maintenance', owned);
  END LOOP;
END
$$;

-- Private rows are visible to their user and to transactions for all users (admins, workers), beside the policy of the tenant. Without the subqueries,
-- PostgreSQL would read the settings for every row.
DO $$
DECLARE
  private text;
BEGIN
  FOREACH private IN ARRAY ARRAY['prompts', 'observations', 'contexts', 'imports', 'exports'] LOOP
    EXECUTE format('CREATE POLICY owner_isolation ON %I AS RESTRICTIVE USING (user_id = (SELECT current_viewer_id()) OR (SELECT views_all()))', private);
  END LOOP;
END
$$;
-- A learning is private by the setting of the tenant, or by its owner; its quotes are visible with it.
CREATE POLICY owner_isolation ON learnings AS RESTRICTIVE
  USING (visibility = 'shared' OR user_id = (SELECT current_viewer_id()) OR (SELECT views_all()));
CREATE POLICY owner_isolation ON learning_evidence AS RESTRICTIVE
  USING ((SELECT views_all()) OR EXISTS (SELECT FROM learnings l WHERE l.id = learning_evidence.learning_id));

-- Bound keys: rows with a project and a namespace by their own columns, rows of a session by the session, whose policy decides again.
DO $$
DECLARE
  bound text;
  unbound CONSTANT text := '(SELECT current_projects() IS NULL AND current_namespaces() IS NULL)';
  in_projects CONSTANT text := '((SELECT current_projects()) IS NULL OR %I = ANY ((SELECT current_projects())::uuid[]))';
BEGIN
  FOREACH bound IN ARRAY ARRAY['sessions', 'learnings', 'entities', 'stream_events'] LOOP
    EXECUTE format('CREATE POLICY bounds ON %I AS RESTRICTIVE USING (' || in_projects
      || ' AND ((SELECT current_namespaces()) IS NULL OR namespace = ANY ((SELECT current_namespaces())::text[])))', bound, 'project_id');
  END LOOP;
  FOREACH bound IN ARRAY ARRAY['prompts', 'observations', 'boundaries', 'summaries', 'archives'] LOOP
    EXECUTE format('CREATE POLICY bounds ON %1$I AS RESTRICTIVE USING (' || unbound || ' OR EXISTS (SELECT FROM sessions s WHERE s.id = %1$I.session_id))', bound);
  END LOOP;
  -- A project has no namespace: it is of those of its sessions and learnings.
  EXECUTE format('CREATE POLICY bounds ON projects AS RESTRICTIVE USING (' || in_projects || ' AND ((SELECT current_namespaces()) IS NULL'
    || ' OR EXISTS (SELECT FROM sessions s WHERE s.project_id = projects.id) OR EXISTS (SELECT FROM learnings l WHERE l.project_id = projects.id)))', 'id');
  EXECUTE 'CREATE POLICY bounds ON project_aliases AS RESTRICTIVE USING (' || unbound || ' OR EXISTS (SELECT FROM projects p WHERE p.id = project_aliases.project_id))';
END
$$;

-- domain/stream.ts has the same rules for events that it received already.
CREATE POLICY owner_isolation ON stream_events AS RESTRICTIVE USING (NOT private OR user_id = (SELECT current_viewer_id()) OR (SELECT views_all()));
REVOKE INSERT, UPDATE ON stream_events FROM recollect_app;

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation ON tenants USING (id = (SELECT current_tenant_id())) WITH CHECK (id = (SELECT current_tenant_id()));
GRANT SELECT, INSERT (id, name), UPDATE ON tenants TO recollect_app;

-- The audit log is append-only for the application: append_audit alone writes it, verification reads it.
REVOKE INSERT, UPDATE, DELETE ON audit_log, audit_heads, audit_anchors FROM recollect_app;

-- Every tenant reads the system's settings; only maintenance writes them.
CREATE POLICY system_settings ON settings FOR SELECT USING (scope = 'system' AND (SELECT current_tenant_id()) IS NOT NULL);

-- Statistics, samples and restores of the instance are visible to the operator's tenant only.
CREATE POLICY operator_reads ON stats_snapshots FOR SELECT
  USING (tenant_id IS NULL AND EXISTS (SELECT FROM tenants t WHERE t.id = (SELECT current_tenant_id()) AND t.is_operator));
ALTER TABLE instance_samples ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY operator_reads ON instance_samples FOR SELECT
  USING ((SELECT t.is_operator FROM tenants t WHERE t.id = (SELECT current_tenant_id())));
CREATE POLICY of_processes ON instance_samples FOR INSERT TO recollect_app WITH CHECK (source LIKE 'api:%');
GRANT SELECT, INSERT ON instance_samples TO recollect_app;
GRANT SELECT, INSERT, DELETE ON instance_samples TO recollect_maintenance;
ALTER TABLE restores ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY operator_only ON restores
  USING ((SELECT t.is_operator FROM tenants t WHERE t.id = (SELECT current_tenant_id())))
  WITH CHECK ((SELECT t.is_operator FROM tenants t WHERE t.id = (SELECT current_tenant_id())));
-- The api restores from the stores and signers of the settings. Other stores and signers are named on the machine itself.
CREATE POLICY named_stores ON restores AS RESTRICTIVE FOR INSERT TO recollect_app
  WITH CHECK (signer IS NULL AND (store IS NULL OR store = 'copy'));
GRANT SELECT, INSERT ON restores TO recollect_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON tenants, restores, backups, backup_files, erasure_journal TO recollect_maintenance;

-- What the functions of the definer read and write (prisma/sql/functions).
GRANT SELECT, INSERT, UPDATE ON projects, project_aliases, sessions, capture_keys, boundaries, prompts, observations TO recollect_definer;
GRANT INSERT ON trace_marks TO recollect_definer;
GRANT SELECT, UPDATE ON summaries, learnings, embeddings TO recollect_definer;
GRANT SELECT, INSERT, UPDATE ON rate_limits TO recollect_definer;
GRANT SELECT, UPDATE, DELETE ON rate_limits TO recollect_maintenance;
GRANT SELECT, INSERT, UPDATE ON stream_events, stream_clock TO recollect_definer;
GRANT SELECT, INSERT, UPDATE, DELETE ON stream_clock TO recollect_maintenance;
GRANT SELECT, INSERT, UPDATE ON refresh_tokens, auth_attempts TO recollect_definer;
GRANT SELECT, UPDATE ON user_sessions TO recollect_definer;
GRANT SELECT, INSERT ON signing_keys TO recollect_definer;
GRANT SELECT, INSERT, UPDATE, DELETE ON signing_keys, auth_attempts TO recollect_maintenance;
GRANT SELECT, INSERT ON windows, usage_reservations, backups TO recollect_definer;
-- Without encrypted values.
GRANT SELECT (scope, scope_id, key, value, updated_at), INSERT (id, scope, scope_id, key, value), UPDATE (value, updated_at) ON settings TO recollect_definer;
GRANT SELECT, INSERT, UPDATE ON auth_challenges TO recollect_definer;
GRANT SELECT, UPDATE, DELETE ON auth_challenges TO recollect_maintenance;
GRANT SELECT ON tenants, users, api_keys, user_invites, mfa_totp, passkeys, tombstones, entities, entity_mentions, model_batches, embedding_counts, embedding_indexes, legal_holds, archives, retention_runs,
  retention_counts, consistency_checks TO recollect_definer;
GRANT SELECT (finished_at, due_at) ON gdpr_requests TO recollect_definer;
GRANT SELECT (id, tenant_id, user_id, provider, model, operation, batch, cache_hit, input_tokens, output_tokens, tokens_cached, cost_usd, latency_ms, created_at) ON usage_ledger TO recollect_definer;
GRANT SELECT (id, type) ON system_alerts TO recollect_definer;
GRANT INSERT ON audit_log TO recollect_definer;
GRANT SELECT, INSERT, UPDATE ON audit_heads TO recollect_definer;
GRANT SELECT ON oauth_grants TO recollect_definer;
GRANT SELECT, INSERT, UPDATE ON oauth_payloads TO recollect_definer;
GRANT SELECT, INSERT, UPDATE, DELETE ON oauth_payloads TO recollect_maintenance;

-- Backup sets and exports name the migrations of their schema, and doctor compares them. A shadow database has no ledger of migrations.
DO $$
BEGIN
  IF to_regclass('public._prisma_migrations') IS NOT NULL THEN
    GRANT SELECT (migration_name, started_at, finished_at, rolled_back_at) ON _prisma_migrations TO recollect_app, recollect_maintenance;
  END IF;
END
$$;
