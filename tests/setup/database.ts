import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import { newId } from '../../domain/ids.ts';
import type { TenantId, UserId } from '../../domain/ids.ts';
import { createDatabase } from '../../stores/postgres/connection/database.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import { keySha256, SCOPES } from '../../stores/postgres/access/api-keys.ts';
import type { Scope } from '../../stores/postgres/access/api-keys.ts';
import { TEMPLATE_DATABASE } from './provided.ts';
import { until } from './until.ts';

const CONNECTIONS = 'SELECT 1 FROM pg_stat_activity WHERE datname = $1';
const DISCONNECT_MS = 2_000;

type DatabaseRole = 'app' | 'maintenance' | 'owner' | 'restore' | 'superuser';

export interface TestDatabase {
  readonly name: string;
  /** URL of the database as one of the login roles. */
  url(role: DatabaseRole): string;
  /** Pool of the superuser, who bypasses policies: creates and counts all rows. */
  readonly superuser: pg.Pool;
  /** As the application's role. */
  readonly database: Database;
  close(): Promise<void>;
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
  const superuser = new pg.Pool({ connectionString: urlOf(name, 'superuser'), max: 2 });
  superuser.on('error', onIdleError);
  const database = createDatabase({
    url: urlOf(name, 'app'),
    max: 5,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 20_000,
    applicationName: 'test',
    onIdleError,
  });
  return {
    name,
    url: (role) => urlOf(name, role),
    superuser,
    database,
    async close() {
      await database.close();
      await superuser.end();
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
export async function createTestUser(superuser: pg.Pool, options: TestUserOptions = {}): Promise<TestUser> {
  const tenantId = options.tenantId ?? newId<TenantId>();
  const userId = newId<UserId>();
  const key = `rcl_test_${randomUUID()}`;
  if (options.tenantId === undefined)
    await superuser.query(
      'INSERT INTO tenants (id, name, is_operator) VALUES ($1, $2, NOT EXISTS (SELECT FROM tenants WHERE is_operator))',
      [tenantId, tenantId],
    );
  await superuser.query(
    'INSERT INTO users (id, tenant_id, username, password_hash, role) VALUES ($1, $2, $3, $4, $5)',
    [userId, tenantId, userId, 'not a hash', options.role ?? 'user'],
  );
  await superuser.query(
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
    Object.assign(user, await createTestUser(db.superuser, options?.()));
  });
  return user;
}
