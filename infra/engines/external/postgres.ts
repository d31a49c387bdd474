import type pg from 'pg';
import { z } from 'zod';
import type { Config } from '../../../config/config.ts';
import { knownMigrations } from '../../../prisma/known-migrations.ts';
import { connected } from '../../../stores/postgres/connection/connected.ts';
import { codeOf, complete, TIMEOUT_SECONDS, unreachable } from './engine-finding.ts';
import type { EngineFinding } from './engine-finding.ts';

/** The first version with `uuidv7()`. */
const MIN_VERSION = 18;
const EXTENSIONS: readonly string[] = ['pg_trgm', 'btree_gin'];

const CREATED_BY = 'recollect migrate with RECOLLECT_ADMIN_DATABASE_URL';

const rightsSchema = z.tuple([
  z.object({
    name: z.string(),
    version: z.int(),
    superuser: z.boolean(),
    bypasses: z.boolean(),
    creates: z.boolean(),
    database: z.string(),
    /** Whether it may create tables. */
    builds: z.boolean(),
    /** Whether it may own functions of recollect_definer. */
    defines: z.boolean(),
  }),
]);
const RIGHTS = `
  SELECT rolname AS name, current_setting('server_version_num')::int / 10000 AS version,
         rolsuper AS superuser, rolbypassrls AS bypasses, rolcreatedb AS creates, current_database() AS database,
         has_schema_privilege(current_user, 'public', 'CREATE') AS builds,
         EXISTS (SELECT FROM pg_roles d WHERE d.rolname = 'recollect_definer' AND pg_has_role(current_user, d.oid, 'MEMBER')) AS defines
    FROM pg_roles WHERE rolname = current_user`;
type Rights = z.infer<typeof rightsSchema>[0];

/** A database address of the settings, and what its role must be able to do. */
interface RoleCheck {
  readonly role: 'application' | 'maintenance' | 'restore' | 'owner' | 'admin';
  readonly setting: string;
  readonly url: string;
  /** Returns what is wrong with the rights, and the remedy; null if they fit. */
  readonly faultOf: (rights: Rights) => { readonly text: string; readonly advice: string } | null;
  /** Further checks over the same connection. */
  readonly more: (client: pg.Client) => Promise<EngineFinding[]>;
}

/** Returns the remedy of a refused connection. PostgreSQL answers for a missing role as for a wrong password. */
function adviceFor(setting: string): (error: unknown) => string | null {
  return (error) => {
    switch (codeOf(error)) {
      case '28P01':
        return `Check user and password in ${setting}. ${CREATED_BY} creates missing roles and sets the passwords of the settings.`;
      case '28000':
        return `Create the role (${CREATED_BY}), or add a rule for this user, address and TLS to pg_hba.conf.`;
      case '3D000':
        return `Create the database: ${CREATED_BY}.`;
      case '42501':
        return `Grant the role of ${setting} CONNECT on the database: ${CREATED_BY}.`;
      default:
        return null;
    }
  };
}

async function namesOf(client: pg.Client, sql: string, values: unknown[] = []): Promise<string[]> {
  const { rows } = await client.query(sql, values);
  return z
    .array(z.object({ name: z.string() }))
    .parse(rows)
    .map(({ name }) => name);
}

/** Compares the extensions of the database with those that the tables need. */
async function checkExtensions(client: pg.Client): Promise<EngineFinding> {
  const installed = await namesOf(client, 'SELECT extname AS name FROM pg_extension');
  const missing = EXTENSIONS.filter((name) => !installed.includes(name));
  const available = await namesOf(client, 'SELECT name FROM pg_available_extensions WHERE name = ANY ($1)', [missing]);
  const absent = missing.filter((name) => !available.includes(name));
  return complete(
    'PostgreSQL extensions',
    missing,
    absent.length > 0
      ? `Install PostgreSQL's contrib modules on its server: it does not have ${absent.join(', ')}.`
      : `As the owner of the database: ${missing.map((name) => `CREATE EXTENSION ${name};`).join(' ')}`,
  );
}

/** Compares the migrations of the role's database with those of this version. */
async function checkMigrations(client: pg.Client, role: RoleCheck['role']): Promise<EngineFinding> {
  const name = `PostgreSQL migrations (${role} role)`;
  const applied = await namesOf(
    client,
    `SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL`,
  ).catch((error: unknown): string[] => {
    // No table, or no right to read it before the first migration.
    if (codeOf(error) === '42P01' || codeOf(error) === '42501') return [];
    throw error;
  });
  const known = knownMigrations();
  const newer = applied.filter((migration) => !known.includes(migration));
  if (newer.length > 0)
    return {
      name,
      result: 'fail',
      text: `of a newer version: ${newer.join(', ')}`,
      advice: 'Use the version of Recollect that migrated this database.',
    };
  return complete(
    name,
    known.filter((migration) => !applied.includes(migration)),
    'Run recollect migrate with RECOLLECT_OWNER_DATABASE_URL.',
  );
}

async function checkRole({ role, setting, url, faultOf, more }: RoleCheck): Promise<EngineFinding[]> {
  const name = `PostgreSQL (${role} role)`;
  const timeoutMs = TIMEOUT_SECONDS * 1_000;
  try {
    return await connected(
      { connectionString: url, connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs },
      async (client) => {
        const tls = await namesOf(
          client,
          `SELECT coalesce(version, 'without TLS') AS name FROM pg_stat_ssl WHERE pid = pg_backend_pid()`,
        );
        const [rights] = rightsSchema.parse((await client.query(RIGHTS)).rows);
        const fault = faultOf(rights);
        return [
          { name, result: 'ok', text: `reachable, ${tls.join('')}` },
          ...(fault === null ? [] : [{ name: `rights of ${rights.name}`, result: 'fail' as const, ...fault }]),
          ...(role === 'application' ? [versionOf(rights)] : []),
          ...(await more(client)),
        ];
      },
    );
  } catch (error) {
    return [unreachable(name, error, adviceFor(setting))];
  }
}

function versionOf({ version }: Rights): EngineFinding {
  const name = 'PostgreSQL version';
  if (version >= MIN_VERSION) return { name, result: 'ok', text: String(version) };
  return { name, result: 'fail', text: `${version} is too old`, advice: `Use PostgreSQL ${MIN_VERSION} or newer.` };
}

/** What needs an address that may be absent. */
const USES = {
  RECOLLECT_MAINTENANCE_DATABASE_URL:
    'Workers of the queues maintenance and sweeps need it, and migrations; the api does not.',
  RECOLLECT_RESTORE_DATABASE_URL: 'Workers of the queue maintenance need it for restores and drills; the api does not.',
} as const;

/** Returns the finding of an address that is not set. */
function unset(role: RoleCheck['role'], setting: keyof typeof USES): EngineFinding {
  return { name: `PostgreSQL (${role} role)`, result: 'warn', text: `${setting} is not set`, advice: USES[setting] };
}

/** Returns what the owner lacks to migrate. */
function ownerFault({ name, database, builds, defines }: Rights): ReturnType<RoleCheck['faultOf']> {
  if (!builds)
    return {
      text: `the role cannot create tables in ${database}`,
      advice: `As a superuser: ALTER DATABASE "${database}" OWNER TO ${name};`,
    };
  return defines
    ? null
    : {
        text: 'the role is not a member of recollect_definer',
        advice: `As a superuser: GRANT recollect_definer TO ${name}; or ${CREATED_BY}.`,
      };
}

/** Connects with each role of the settings; checks version, rights, extensions and migrations. Changes nothing; never rejects. */
export async function checkPostgresRoles({ database }: Config): Promise<EngineFinding[]> {
  const { url, maintenanceUrl, restoreUrl, ownerUrl, adminUrl } = database;
  const none = (): Promise<EngineFinding[]> => Promise.resolve([]);
  const findings: EngineFinding[] = [];
  const checks: RoleCheck[] = [
    {
      role: 'application',
      setting: 'RECOLLECT_DATABASE_URL',
      url,
      faultOf: ({ superuser, bypasses }) =>
        superuser || bypasses
          ? {
              text: 'row-level security does not restrict this role',
              advice: 'Name recollect_app in RECOLLECT_DATABASE_URL, or revoke SUPERUSER and BYPASSRLS.',
            }
          : null,
      more: async (client) => [await checkExtensions(client), await checkMigrations(client, 'application')],
    },
  ];
  if (maintenanceUrl === undefined) findings.push(unset('maintenance', 'RECOLLECT_MAINTENANCE_DATABASE_URL'));
  else
    checks.push({
      role: 'maintenance',
      setting: 'RECOLLECT_MAINTENANCE_DATABASE_URL',
      url: maintenanceUrl,
      faultOf: ({ name, superuser, bypasses }) =>
        superuser || bypasses
          ? null
          : { text: 'the role cannot read every tenant', advice: `As a superuser: ALTER ROLE ${name} BYPASSRLS;` },
      more: async (client) => [await checkMigrations(client, 'maintenance')],
    });
  if (restoreUrl === undefined) findings.push(unset('restore', 'RECOLLECT_RESTORE_DATABASE_URL'));
  else
    checks.push({
      role: 'restore',
      setting: 'RECOLLECT_RESTORE_DATABASE_URL',
      url: restoreUrl,
      faultOf: ({ name, superuser, creates }) =>
        superuser || creates
          ? null
          : { text: 'the role cannot create databases', advice: `As a superuser: ALTER ROLE ${name} CREATEDB;` },
      more: none,
    });
  if (ownerUrl !== undefined)
    checks.push({
      role: 'owner',
      setting: 'RECOLLECT_OWNER_DATABASE_URL',
      url: ownerUrl,
      faultOf: ownerFault,
      more: async (client) => [await checkMigrations(client, 'owner')],
    });
  if (adminUrl !== undefined)
    checks.push({
      role: 'admin',
      setting: 'RECOLLECT_ADMIN_DATABASE_URL',
      url: adminUrl,
      faultOf: ({ superuser }) =>
        superuser
          ? null
          : {
              text: 'the role is not a superuser',
              advice: 'Name a superuser, or create roles and database and leave RECOLLECT_ADMIN_DATABASE_URL out.',
            },
      more: none,
    });
  return [...(await Promise.all(checks.map(checkRole))).flat(), ...findings];
}
