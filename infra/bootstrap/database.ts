import type pg from 'pg';
import { atDatabase } from '../../prisma/migration-adapter.ts';
import type { DatabaseAddress } from '../../prisma/migration-adapter.ts';
import { withSchemaEngine } from '../../prisma/schema-engine.ts';
import { connected } from '../../stores/postgres/connection/connected.ts';
import { unfinishedMigrations } from '../../stores/postgres/connection/maintenance.ts';
import { z } from 'zod';

const pairRows = z.array(z.object({ replaced: z.string() }));

/** Names of a replaced and a restored database (stores/postgres/backups/restored-database.ts). */
const PAIR = `
  SELECT r.datname AS replaced
    FROM pg_database r JOIN pg_database b ON b.datname = $1 || '_restore_' || substr(r.datname, length($1 || '_replaced_') + 1)
   WHERE starts_with(r.datname, $1 || '_replaced_') AND NOT EXISTS (SELECT FROM pg_database WHERE datname = $1)
   ORDER BY r.oid DESC LIMIT 1`;

/**
 * Restores the name and the connections of a database if a restore was killed between its two renames. Without it the start would create
 * an empty database, and the resumed restore would fail.
 */
export async function recoverSwap(superuser: pg.ClientBase, databaseName: string): Promise<void> {
  const [pair] = pairRows.parse((await superuser.query(PAIR, [databaseName])).rows);
  const name = superuser.escapeIdentifier(databaseName);
  if (pair !== undefined)
    await superuser.query(`ALTER DATABASE ${superuser.escapeIdentifier(pair.replaced)} RENAME TO ${name}`);
  const shut = await superuser.query('SELECT FROM pg_database WHERE datname = $1 AND NOT datallowconn', [databaseName]);
  if (shut.rowCount === 1) await superuser.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS true`);
}

export interface DatabaseBootstrap {
  readonly superuserUrl: string;
  /** Address of the owner role, in any database; default: that of the superuser with the owner's password. */
  readonly ownerUrl?: string;
  readonly databaseName: string;
  /** Passwords of the login roles, from the instance's secrets. */
  readonly passwords: {
    readonly owner: string;
    readonly app: string;
    readonly maintenance: string;
    readonly restore: string;
  };
  readonly progress: (line: string) => void;
}

/**
 * Roles of a cluster. `recollect_owner` owns tables and runs migrations; `recollect_app` is used by the api and the
 * workers (owns no table, policies apply); `recollect_maintenance` reads every tenant, for sweep, backup and consistency checks;
 * `recollect_definer` has no login and owns the functions that act across tenants. `recollect_restore` creates databases beside the
 * running one, owns them, and replaces the running one.
 */
const ROLES = [
  { name: 'recollect_owner', attributes: 'LOGIN', secret: 'owner' },
  { name: 'recollect_app', attributes: 'LOGIN NOBYPASSRLS', secret: 'app' },
  { name: 'recollect_maintenance', attributes: 'LOGIN BYPASSRLS', secret: 'maintenance' },
  { name: 'recollect_definer', attributes: 'NOLOGIN BYPASSRLS', secret: null },
  { name: 'recollect_restore', attributes: 'LOGIN CREATEDB', secret: 'restore' },
] as const;

/** Name of a new database until it is complete. */
const UNFINISHED_SUFFIX = '_unfinished';

async function ensureRoles(superuser: pg.Client, passwords: DatabaseBootstrap['passwords']): Promise<void> {
  for (const role of ROLES) {
    const known = await superuser.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role.name]);
    if (known.rowCount === 0) await superuser.query(`CREATE ROLE ${role.name}`);
    const password = role.secret === null ? '' : ` PASSWORD ${superuser.escapeLiteral(passwords[role.secret])}`;
    await superuser.query(`ALTER ROLE ${role.name} ${role.attributes}${password}`);
  }
  // Changing a function's owner requires membership in the new owner.
  await superuser.query('GRANT recollect_definer TO recollect_owner');
  // A restore renames the databases and must end their connections.
  await superuser.query('GRANT recollect_owner, recollect_definer, pg_signal_backend TO recollect_restore');
}

/** Applies migrations to a database as its owner; returns their number. */
export async function migrate(address: DatabaseAddress): Promise<number> {
  return connected({ ...address }, async (owner) => {
    const unfinished = await unfinishedMigrations(owner);
    const applied = await withSchemaEngine(address, async (engine) => {
      await engine.forgetUnfinished(unfinished);
      return engine.deploy();
    });
    await owner.query('SELECT ensure_partitions()');
    return applied.length;
  });
}

/** Returns an address with the owner role. */
function asOwner(superuserUrl: string, password: string): string {
  const url = new URL(superuserUrl);
  url.username = 'recollect_owner';
  url.password = encodeURIComponent(password);
  return url.href;
}

/**
 * Creates or updates roles, database and schema. Idempotent, also after a kill: a new database has a temporary name until it is
 * complete.
 */
export async function bootstrapDatabase(options: DatabaseBootstrap): Promise<void> {
  const { databaseName, passwords, progress } = options;
  const url = options.ownerUrl ?? asOwner(options.superuserUrl, passwords.owner);
  const addressOf = (database: string): DatabaseAddress => ({ connectionString: atDatabase(url, database) });
  await connected({ connectionString: options.superuserUrl }, async (superuser) => {
    await ensureRoles(superuser, passwords);
    await recoverSwap(superuser, databaseName);
    const known = await superuser.query('SELECT 1 FROM pg_database WHERE datname = $1', [databaseName]);
    const isNew = known.rowCount === 0;
    const name = isNew ? `${databaseName}${UNFINISHED_SUFFIX}` : databaseName;
    const quoted = superuser.escapeIdentifier(name);
    if (isNew) {
      await superuser.query(`DROP DATABASE IF EXISTS ${quoted} WITH (FORCE)`);
      await superuser.query(`CREATE DATABASE ${quoted} OWNER recollect_owner`);
    }
    const applied = await migrate(addressOf(name));
    await superuser.query(`REVOKE ALL ON DATABASE ${quoted} FROM PUBLIC`);
    await superuser.query(`GRANT CONNECT ON DATABASE ${quoted} TO recollect_app, recollect_maintenance`);
    if (isNew) await superuser.query(`ALTER DATABASE ${quoted} RENAME TO ${superuser.escapeIdentifier(databaseName)}`);
    progress(applied === 0 ? 'schema is current' : `${applied} migrations applied`);
  });
}
