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
  z.object({ name: z.string(), version: z.int(), superuser: z.boolean(), bypasses: z.boolean(), creates: z.boolean() }),
]);
const RIGHTS = `
  SELECT rolname AS name, current_setting('server_version_num')::int / 10000 AS version,
         rolsuper AS superuser, rolbypassrls AS bypasses, rolcreatedb AS creates
    FROM pg_roles WHERE rolname = current_user`;
type Rights = z.infer<typeof rightsSchema>[0];

/** A database address of the settings, and what its role must be able to do. */
interface RoleCheck {
  readonly role: 'application' | 'maintenance' | 'restore';
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

/** Compares the migrations of the database with those of this version. */
async function checkMigrations(client: pg.Client): Promise<EngineFinding> {
  const name = 'PostgreSQL migrations';
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

/** Connects with each role of the settings; checks version, rights, extensions and migrations. Changes nothing; never rejects. */
export async function checkPostgresRoles({ database }: Config): Promise<EngineFinding[]> {
  const { url, maintenanceUrl, restoreUrl } = database;
  const none = (): Promise<EngineFinding[]> => Promise.resolve([]);
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
      more: async (client) => [await checkExtensions(client)],
    },
  ];
  if (maintenanceUrl !== undefined)
    checks.push({
      role: 'maintenance',
      setting: 'RECOLLECT_MAINTENANCE_DATABASE_URL',
      url: maintenanceUrl,
      faultOf: ({ name, superuser, bypasses }) =>
        superuser || bypasses
          ? null
          : { text: 'the role cannot read every tenant', advice: `As a superuser: ALTER ROLE ${name} BYPASSRLS;` },
      more: async (client) => [await checkMigrations(client)],
    });
  if (restoreUrl !== undefined)
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
  return (await Promise.all(checks.map(checkRole))).flat();
}
