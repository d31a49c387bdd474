import pg from 'pg';
import { describe, expect, inject, test } from 'vitest';
import { fileDatabase } from '../../../setup/database.ts';
import { TEMPLATE_DATABASE } from '../../../setup/provided.ts';
import { seedTenant } from '../support/seed-tenant.ts';

const db = fileDatabase();

async function rows(sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  return (await db.superuser.query<Record<string, unknown>>(sql, values)).rows;
}

function refusal(sql: string): Promise<string | undefined> {
  return db.database.pool.query(sql).then(
    () => undefined,
    (error: { code?: string }) => error.code,
  );
}

describe('the application role', () => {
  test('has no right beyond LOGIN', async () => {
    expect(
      await rows(
        "SELECT rolcanlogin, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles WHERE rolname = 'recollect_app'",
      ),
    ).toEqual([
      {
        rolcanlogin: true,
        rolsuper: false,
        rolbypassrls: false,
        rolcreaterole: false,
        rolcreatedb: false,
        rolreplication: false,
      },
    ]);
    expect(
      await rows(
        "SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid WHERE m.member = 'recollect_app'::regrole",
      ),
    ).toEqual([]);
  });

  test('owns nothing', async () => {
    expect(await rows("SELECT relname FROM pg_class WHERE relowner = 'recollect_app'::regrole")).toEqual([]);
    expect(await rows("SELECT proname FROM pg_proc WHERE proowner = 'recollect_app'::regrole")).toEqual([]);
  });

  test.each([
    'CREATE TABLE own (id integer)',
    'CREATE FUNCTION own() RETURNS integer LANGUAGE sql AS $$ SELECT 1 $$',
    'CREATE SCHEMA own',
    'ALTER TABLE sessions ADD COLUMN own text',
    'ALTER TABLE sessions DISABLE ROW LEVEL SECURITY',
    'ALTER TABLE sessions NO FORCE ROW LEVEL SECURITY',
    'DROP POLICY tenant_isolation ON sessions',
    'CREATE POLICY own ON sessions USING (true)',
    'DROP TABLE windows',
    'TRUNCATE windows',
    'ALTER ROLE recollect_app BYPASSRLS',
    'SET ROLE recollect_owner',
    'SET ROLE recollect_definer',
    'SET ROLE recollect_maintenance',
    'SET SESSION AUTHORIZATION recollect_owner',
    'GRANT recollect_definer TO recollect_app',
    'CREATE OR REPLACE FUNCTION find_api_key(bytea) RETURNS integer LANGUAGE sql AS $$ SELECT 1 $$',
    "COPY sessions TO PROGRAM 'true'",
    "SELECT pg_read_file('postgresql.conf')",
    "INSERT INTO tenants (id, name) VALUES (uuidv7(), 'own')",
    'DELETE FROM tenants',
    "SELECT resolve_project(uuidv7(), '{}')",
    'SELECT * FROM _prisma_migrations',
  ])('cannot execute: %s', async (sql) => {
    expect(await refusal(sql)).toMatch(/^(?:42501|42809)$/);
  });

  test('cannot disable row security: the query fails', async () => {
    const client = await db.database.pool.connect();
    try {
      await client.query('SET row_security = off');
      await expect(client.query('SELECT count(*) FROM sessions')).rejects.toMatchObject({ code: '42501' });
    } finally {
      client.release(true);
    }
  });

  test('only the login roles can connect, and none can create temporary tables', async () => {
    const allowed = await rows(
      `SELECT r.name, has_database_privilege(r.name, $1, 'CONNECT') AS connect, has_database_privilege(r.name, $1, 'TEMP') AS temp
         FROM unnest(ARRAY['recollect_app', 'recollect_maintenance', 'recollect_definer', 'pg_monitor']) AS r(name)`,
      [TEMPLATE_DATABASE],
    );
    expect(allowed).toEqual([
      { name: 'recollect_app', connect: true, temp: false },
      { name: 'recollect_maintenance', connect: true, temp: false },
      { name: 'recollect_definer', connect: false, temp: false },
      { name: 'pg_monitor', connect: false, temp: false },
    ]);
  });
});

/** Functions with SECURITY DEFINER: name, owner, roles that may execute it, settings beside the search path. */
const DEFINER_FUNCTIONS: readonly (readonly [
  name: string,
  owner: string,
  executors: readonly string[],
  settings?: readonly string[],
])[] = [
  ['add_signing_key', 'recollect_definer', ['app']],
  ['advance_consumption', 'recollect_definer', ['app']],
  ['append_audit', 'recollect_definer', ['app']],
  ['book_attempt', 'recollect_definer', ['app']],
  [
    'capture_events',
    'recollect_definer',
    ['app'],
    ['plan_cache_mode=force_generic_plan', 'enable_seqscan=off', 'enable_hashjoin=off', 'enable_mergejoin=off'],
  ],
  ['clear_attempt', 'recollect_definer', ['app']],
  ['consume_oauth_payload', 'recollect_definer', ['app']],
  ['detach_expired_month', 'recollect_owner', ['maintenance'], ['work_mem=64MB']],
  ['detached_month_sessions', 'recollect_owner', ['maintenance']],
  ['draw_rate', 'recollect_definer', ['app']],
  ['drop_audit_month', 'recollect_owner', ['maintenance']],
  ['drop_detached_month', 'recollect_owner', ['maintenance']],
  ['embedding_totals', 'recollect_definer', ['app']],
  ['ensure_partitions', 'recollect_owner', ['maintenance']],
  ['expire_oauth_payload', 'recollect_definer', ['app']],
  ['find_api_key', 'recollect_definer', ['app']],
  ['find_browser_session', 'recollect_definer', ['app']],
  ['find_invite', 'recollect_definer', ['app']],
  ['find_login', 'recollect_definer', ['app']],
  ['find_memories_by_hash', 'recollect_definer', ['app']],
  ['find_oauth_grant', 'recollect_definer', ['app']],
  ['find_oauth_payload', 'recollect_definer', ['app']],
  ['find_oauth_token', 'recollect_definer', ['app']],
  ['find_passkey', 'recollect_definer', ['app']],
  ['find_refresh_session', 'recollect_definer', ['app']],
  ['find_tenant', 'recollect_definer', ['app']],
  ['find_user_session', 'recollect_definer', ['app']],
  ['gdpr_deadlines', 'recollect_definer', ['app']],
  ['index_divergence', 'recollect_definer', ['app']],
  ['instance_figures', 'recollect_definer', ['app', 'maintenance']],
  ['list_backups', 'recollect_definer', ['app']],
  ['list_signing_keys', 'recollect_definer', ['app']],
  ['list_tenants', 'recollect_definer', ['app']],
  ['mark_searchable', 'recollect_definer', ['app']],
  ['model_calls_between', 'recollect_definer', ['app']],
  ['model_incidents_between', 'recollect_definer', ['app']],
  ['newest_backups', 'recollect_definer', ['app']],
  ['number_stream_events', 'recollect_definer', ['app']],
  ['record_reachable', 'recollect_definer', ['app']],
  ['release_audit_month', 'recollect_definer', []],
  ['release_expired_month', 'recollect_definer', []],
  ['request_backup', 'recollect_definer', ['app']],
  ['reserve_model_call', 'recollect_definer', ['app']],
  ['resolve_project', 'recollect_definer', []],
  ['retention_totals', 'recollect_definer', ['app']],
  ['rotate_refresh_token', 'recollect_definer', ['app']],
  ['save_oauth_payload', 'recollect_definer', ['app']],
  ['search_archives', 'recollect_definer', ['app']],
  ['search_keyword', 'recollect_definer', ['app', 'maintenance']],
  ['search_unindexed', 'recollect_definer', ['app'], ['plan_cache_mode=force_generic_plan']],
  ['start_auth_challenge', 'recollect_definer', ['app']],
  ['stream_inserted', 'recollect_definer', []],
  ['stream_updated', 'recollect_definer', []],
  ['suggest_texts', 'recollect_definer', ['app']],
  ['take_auth_challenge', 'recollect_definer', ['app']],
  ['unclaimed_model_batches', 'recollect_definer', ['app']],
  ['update_session_phase', 'recollect_definer', ['app']],
];

describe('functions that act across tenants', () => {
  test('are a closed list with a fixed owner, search path and grants', async () => {
    const definers = await rows(
      `SELECT p.proname AS name, p.proowner::regrole::text AS owner, p.proconfig AS config,
              EXISTS (SELECT 1 FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a WHERE a.grantee = 0) AS public,
              has_function_privilege('recollect_app', p.oid, 'EXECUTE') AS app, has_function_privilege('recollect_maintenance', p.oid, 'EXECUTE') AS maintenance
         FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef ORDER BY 1`,
    );
    expect(definers).toEqual(
      DEFINER_FUNCTIONS.map(([name, owner, executors, settings = []]) => ({
        name,
        owner,
        config: ['search_path=public, pg_temp', ...settings],
        public: false,
        app: executors.includes('app'),
        maintenance: executors.includes('maintenance'),
      })),
    );
  });

  test('are owned by a role without login, CREATE right and needless grants', async () => {
    expect(
      await rows(
        "SELECT rolcanlogin, rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = 'recollect_definer'",
      ),
    ).toEqual([{ rolcanlogin: false, rolsuper: false, rolcreaterole: false, rolcreatedb: false }]);
    expect(await rows("SELECT has_schema_privilege('recollect_definer', 'public', 'CREATE') AS value")).toEqual([
      { value: false },
    ]);
    expect(
      await rows(
        "SELECT grantee, table_name FROM information_schema.role_table_grants WHERE grantee = 'recollect_definer' AND (privilege_type IN ('DELETE', 'TRUNCATE') OR table_name IN ('settings', 'usage_ledger'))",
      ),
    ).toEqual([]);
    const { host, port } = inject('engines').postgres;
    await db.superuser.query("ALTER ROLE recollect_definer PASSWORD 'known'");
    const client = new pg.Client({ host, port, user: 'recollect_definer', password: 'known', database: db.name });
    await expect(client.connect()).rejects.toMatchObject({ code: '28000' });
    await db.superuser.query('ALTER ROLE recollect_definer PASSWORD NULL');
  });
});

describe('the maintenance role', () => {
  test('reads every tenant and cannot create tables', async () => {
    const users = [await seedTenant(db), await seedTenant(db)];
    const pool = new pg.Pool({ connectionString: db.url('maintenance'), max: 1 });
    try {
      const seen = await pool.query('SELECT DISTINCT tenant_id FROM sessions');
      expect(seen.rowCount).toBe(users.length);
      await expect(pool.query('CREATE TABLE own (id integer)')).rejects.toMatchObject({ code: '42501' });
      await expect(pool.query('SET ROLE recollect_owner')).rejects.toMatchObject({ code: '42501' });
    } finally {
      await pool.end();
    }
  });
});
