import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { QueryResultRow } from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import { z } from 'zod';
import { newId } from '../../domain/ids.ts';
import type { ProjectId, TenantId, UserId } from '../../domain/ids.ts';
import { createDatabase } from '../../stores/postgres/connection/database.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import { SCOPES } from '../../domain/access.ts';
import type { Scope } from '../../domain/access.ts';
import { keySha256 } from '../../stores/postgres/access/secrets.ts';
import { READER_ROLE, TEMPLATE_DATABASE } from './provided.ts';
import { until } from './until.ts';

const CONNECTIONS = 'SELECT 1 FROM pg_stat_activity WHERE datname = $1';
const DISCONNECT_MS = 2_000;

type DatabaseRole = 'app' | 'maintenance' | 'owner' | 'restore' | 'superuser';

/** Reads of all tenants' rows by a role that cannot write, and writes as the maintenance role. */
export interface TestRows {
  /** Returns the rows of a read. */
  readonly rows: <Row extends QueryResultRow>(sql: string, values?: unknown[]) => Promise<Row[]>;
  /** Returns the column `value` of the first row. */
  readonly value: <Value>(sql: string, values?: unknown[]) => Promise<Value | undefined>;
  /** As `value`, for a text. Throws if there is no row. */
  readonly text: (sql: string, values?: unknown[]) => Promise<string>;
  /** Counts rows; `from` continues `SELECT count(*) FROM`. */
  readonly count: (from: string, values?: unknown[]) => Promise<number>;
  /** Changes rows, past the policies; returns the rows of `RETURNING`. */
  readonly write: <Row extends QueryResultRow>(sql: string, values?: unknown[]) => Promise<Row[]>;
}

export interface TestDatabase extends TestRows {
  readonly name: string;
  /** URL of the database as one of the login roles. */
  readonly url: (role: DatabaseRole) => string;
  /** Pool of the superuser, for what no other role may do: databases, roles, other connections. */
  readonly superuser: pg.Pool;
  /** Pool of the maintenance role, for locks and for functions that take a pool. */
  readonly maintenance: pg.Pool;
  /** Pool of the owner of the tables, for changes of the schema. */
  readonly owner: pg.Pool;
  /** As the application's role. */
  readonly database: Database;
  /** Creates a user with an API key. The first tenant of a database is the operator's. */
  readonly createUser: (options?: TestUserOptions) => Promise<TestUser>;
  /** Creates a project of a tenant; returns its id. */
  readonly createProject: (owner: Pick<TestUser, 'tenantId'>, name?: string) => Promise<ProjectId>;
  readonly close: () => Promise<void>;
}

function urlOf(name: string, role: DatabaseRole): string {
  const { host, port, user, password } = inject('engines').postgres;
  const [login, secret] = role === 'superuser' ? [user, password] : [`recollect_${role}`, inject('roles')[role]];
  return `postgresql://${login}:${encodeURIComponent(secret)}@${host}:${port}/${name}`;
}

/** Creates a database for a test file, with the full schema, copied from the suite's template. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const admin = new pg.Client({ connectionString: urlOf('postgres', 'superuser') });
  await admin.connect();
  // Copies of one template wait for each other.
  await admin.query("SELECT pg_advisory_lock(hashtext('recollect.template'))");
  // Copied as files, in memory that takes a tenth of the time of a copy through the log.
  await admin.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE_DATABASE} OWNER recollect_owner STRATEGY FILE_COPY`);
  await admin.end();
  const onIdleError = () => {};
  const pools: pg.Pool[] = [];
  const poolOf = (role: DatabaseRole, options?: string) => {
    const pool = new pg.Pool({ connectionString: urlOf(name, role), max: 4, ...(options ? { options } : {}) });
    pool.on('error', onIdleError);
    pools.push(pool);
    return pool;
  };
  // A restored database admits the roles of the product only, and superusers: the reader enters as one, then acts as itself.
  const reader = poolOf('superuser', `-c role=${READER_ROLE}`);
  const maintenance = poolOf('maintenance');
  const database = createDatabase({
    privateRows: 'all',
    url: urlOf(name, 'app'),
    max: 5,
    connectTimeoutMs: 30_000,
    statementTimeoutMs: 20_000,
    applicationName: 'test',
    onIdleError,
  });
  const rows: TestDatabase['rows'] = async (sql, values = []) => (await reader.query(sql, values)).rows;
  const write: TestDatabase['write'] = async (sql, values = []) => (await maintenance.query(sql, values)).rows;
  return {
    name,
    url: (role) => urlOf(name, role),
    superuser: poolOf('superuser'),
    maintenance,
    owner: poolOf('owner'),
    database,
    rows,
    value: async (sql, values) => (await rows(sql, values))[0]?.['value'],
    text: async (sql, values) => z.object({ value: z.string() }).parse((await rows(sql, values))[0]).value,
    count: async (from, values) =>
      z.object({ value: z.int() }).parse((await rows(`SELECT count(*)::integer AS value FROM ${from}`, values))[0])
        .value,
    write,
    createUser: (options) => createTestUser(write, options),
    async createProject({ tenantId }, displayName = 'shop') {
      const id = newId<ProjectId>();
      await write('INSERT INTO projects (id, tenant_id, display_name) VALUES ($1, $2, $3)', [
        id,
        tenantId,
        displayName,
      ]);
      return id;
    },
    async close() {
      await database.close();
      await Promise.all(pools.map((pool) => pool.end()));
      const closer = new pg.Client({ connectionString: urlOf('postgres', 'superuser') });
      await closer.connect();
      // A pool ends before its connections do: dropping the database at once would raise an error without a listener.
      const disconnected = async () => ((await closer.query(CONNECTIONS, [name])).rowCount === 0 ? true : undefined);
      await until(disconnected, DISCONNECT_MS).catch(() => {});
      await closer.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await closer.end();
    },
  };
}

export interface TestUser {
  readonly tenantId: TenantId;
  readonly userId: UserId;
  readonly key: string;
}

export interface TestUserOptions {
  /** An existing tenant; by default a new one is created. */
  readonly tenantId?: TenantId;
  readonly role?: 'admin' | 'user' | 'viewer';
  readonly scopes?: readonly Scope[];
  readonly expiresAt?: Date;
}

/** Creates a user with an API key. The first tenant of a database is the operator's. */
export async function createTestUser(write: TestDatabase['write'], options: TestUserOptions = {}): Promise<TestUser> {
  const tenantId = options.tenantId ?? newId<TenantId>();
  const userId = newId<UserId>();
  const key = `rcl_test_${randomUUID()}`;
  if (options.tenantId === undefined)
    await write(
      'INSERT INTO tenants (id, name, is_operator) VALUES ($1, $2, NOT EXISTS (SELECT FROM tenants WHERE is_operator))',
      [tenantId, tenantId],
    );
  await write('INSERT INTO users (id, tenant_id, username, role) VALUES ($1, $2, $3, $4)', [
    userId,
    tenantId,
    userId,
    options.role ?? 'user',
  ]);
  await write(
    'INSERT INTO api_keys (id, tenant_id, user_id, prefix, key_sha256, name, scopes, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)',
    [
      newId(),
      tenantId,
      userId,
      key.slice(0, 12),
      keySha256(key),
      'test',
      [...(options.scopes ?? SCOPES)],
      options.expiresAt ?? null,
    ],
  );
  return { tenantId, userId, key };
}

/** Registers the creation of one database for a test file, before its other hooks, and the close after them. Its members exist once it is created. */
export function fileDatabase(): TestDatabase {
  const db = {} as TestDatabase;
  beforeAll(async () => {
    Object.assign(db, await createTestDatabase());
  });
  afterAll(() => db.close());
  return db;
}

/** Registers the creation of a user of a file's database; `options` is called then, as it may name the tenant of a user before. */
export function fileUser(db: TestDatabase, options?: () => TestUserOptions): TestUser {
  const user = {} as TestUser;
  beforeAll(async () => {
    Object.assign(user, await db.createUser(options?.()));
  });
  return user;
}
