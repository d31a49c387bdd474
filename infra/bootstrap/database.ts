import pg from 'pg';
import { withSchemaEngine } from '../../prisma/schema-engine.ts';

export interface DatabaseBootstrap {
  readonly superuserUrl: string;
  readonly databaseName: string;
  /** Passwords of the three login roles, made with the instance's other secrets. */
  readonly passwords: { readonly owner: string; readonly app: string; readonly maintenance: string };
  readonly progress: (line: string) => void;
}

/**
 * The roles of a Recollect cluster. `recollect_owner` owns tables and runs migrations; `recollect_app` is what the api and the
 * workers are (no table owned, policies bind it); `recollect_maintenance` sees every tenant, for sweep, backup and consistency;
 * nothing logs in as `recollect_definer`, which owns the functions that act across tenants.
 */
const ROLES = [
  { name: 'recollect_owner', attributes: 'LOGIN', secret: 'owner' },
  { name: 'recollect_app', attributes: 'LOGIN NOBYPASSRLS', secret: 'app' },
  { name: 'recollect_maintenance', attributes: 'LOGIN BYPASSRLS', secret: 'maintenance' },
  { name: 'recollect_definer', attributes: 'NOLOGIN BYPASSRLS', secret: null },
] as const;

/** Makes roles, database and schema, or brings them up to date. Safe to run again after being killed at any point. */
export async function bootstrapDatabase(options: DatabaseBootstrap): Promise<void> {
  const url = new URL(options.superuserUrl);
  const superuser = new pg.Client({ connectionString: options.superuserUrl });
  await superuser.connect();
  try {
    for (const role of ROLES) {
      const known = await superuser.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role.name]);
      if (known.rowCount === 0) await superuser.query(`CREATE ROLE ${role.name}`);
      const password =
        role.secret === null ? '' : ` PASSWORD ${superuser.escapeLiteral(options.passwords[role.secret])}`;
      await superuser.query(`ALTER ROLE ${role.name} ${role.attributes}${password}`);
    }
    // Giving a function to another role asks for membership in it.
    await superuser.query('GRANT recollect_definer TO recollect_owner');
    const known = await superuser.query('SELECT 1 FROM pg_database WHERE datname = $1', [options.databaseName]);
    const database = superuser.escapeIdentifier(options.databaseName);
    if (known.rowCount === 0) await superuser.query(`CREATE DATABASE ${database} OWNER recollect_owner`);
    await superuser.query(`REVOKE ALL ON DATABASE ${database} FROM PUBLIC`);
    await superuser.query(`GRANT CONNECT ON DATABASE ${database} TO recollect_app, recollect_maintenance`);
  } finally {
    await superuser.end();
  }
  const address = {
    host: url.hostname,
    port: Number(url.port),
    user: 'recollect_owner',
    password: options.passwords.owner,
    database: options.databaseName,
  };
  const applied = await withSchemaEngine(address, (engine) => engine.deploy());
  options.progress(applied.length === 0 ? 'schema is current' : `${applied.length} migrations applied`);
  const owner = new pg.Client(address);
  await owner.connect();
  try {
    await owner.query('SELECT ensure_partitions()');
  } finally {
    await owner.end();
  }
}
