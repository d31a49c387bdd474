import { z } from 'zod';
import pg from 'pg';
import { atDatabase } from '../../../prisma/migration-adapter.ts';
import type { DatabaseAddress } from '../../../prisma/migration-adapter.ts';
import { connected } from '../connection/connected.ts';
import { columnOf } from '../connection/rows.ts';

/** Server and roles of the databases of a restore. */
export interface RestoreServer {
  /** As `recollect_restore`, in the database `postgres`. */
  readonly restoreUrl: string;
  /** As the maintenance role, of the running database. */
  readonly maintenanceUrl: string;
}

/** Databases of one restore: the running one, the one that is built, and what the running one is called after it was replaced. */
export interface RestoreNames {
  readonly running: string;
  readonly built: string;
  readonly replaced: string;
}

const OWNER_ROLE = '-c role=recollect_owner';
const APPLICATION_NAME = 'recollect-restore';
const CONNECT_MS = 10_000;
const ID_CHARS = 12;

/** PostgreSQL cuts names at 63 bytes: what is added fits to names of up to 41. */
export function restoreNames({ maintenanceUrl }: RestoreServer, restoreId: string): RestoreNames {
  const running = decodeURIComponent(new URL(maintenanceUrl).pathname.slice(1));
  // The end of a version 7 id is chance.
  const id = restoreId.replaceAll('-', '').slice(-ID_CHARS);
  return { running, built: `${running}_restore_${id}`, replaced: `${running}_replaced_${id}` };
}

/** The role that creates databases, in any of them, acting as the owner of its objects. */
export function ownerAddress({ restoreUrl }: RestoreServer, database: string): DatabaseAddress {
  return { connectionString: atDatabase(restoreUrl, database), options: OWNER_ROLE };
}

/** As the role that creates databases, in the database `postgres`. */
export function asCreator<Result>(
  server: RestoreServer,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  return connected({ connectionString: server.restoreUrl, application_name: APPLICATION_NAME }, work);
}

/** As the owner of a database that is built. */
export function asOwner<Result>(
  server: RestoreServer,
  database: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  return connected({ ...ownerAddress(server, database), application_name: APPLICATION_NAME }, work);
}

/** As the maintenance role, which sees every tenant. */
export function asMaintenance<Result>(
  server: RestoreServer,
  database: string,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  return connected(
    { connectionString: atDatabase(server.maintenanceUrl, database), application_name: APPLICATION_NAME },
    work,
  );
}

export async function databaseExists(creator: pg.Client, name: string): Promise<boolean> {
  return (await creator.query('SELECT FROM pg_database WHERE datname = $1', [name])).rowCount === 1;
}

/** Creates an empty database of the owner that only the login roles can connect to. */
export async function createEmptyDatabase(server: RestoreServer, name: string): Promise<void> {
  await asCreator(server, async (creator) => {
    const quoted = creator.escapeIdentifier(name);
    await creator.query(`DROP DATABASE IF EXISTS ${quoted} WITH (FORCE)`);
    await creator.query(`CREATE DATABASE ${quoted} OWNER recollect_owner`);
    await creator.query(`REVOKE ALL ON DATABASE ${quoted} FROM PUBLIC`);
    await creator.query(`GRANT CONNECT ON DATABASE ${quoted} TO recollect_app, recollect_maintenance`);
  });
}

/** Drops the databases that restores of this instance built, except those in `except`; returns their number. */
export async function dropBuilt(server: RestoreServer, except: readonly string[]): Promise<number> {
  const { running } = restoreNames(server, '');
  return asCreator(server, async (creator) => {
    const { rows } = await creator.query(
      'SELECT datname AS name FROM pg_database WHERE starts_with(datname, $1) AND datname <> ALL ($2)',
      [`${running}_restore_`, except],
    );
    for (const name of columnOf(rows, 'name', z.string()))
      await creator.query(`DROP DATABASE ${creator.escapeIdentifier(name)} WITH (FORCE)`);
    return rows.length;
  });
}

/** Drops what one restore built. */
export async function dropBuiltOf(server: RestoreServer, { built }: RestoreNames): Promise<void> {
  await asCreator(server, (creator) =>
    creator.query(`DROP DATABASE IF EXISTS ${creator.escapeIdentifier(built)} WITH (FORCE)`),
  );
}

/** A pool of the maintenance role for a built database; the caller ends it. */
export function maintenancePool(server: RestoreServer, database: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString: atDatabase(server.maintenanceUrl, database),
    max: 2,
    connectionTimeoutMillis: CONNECT_MS,
    application_name: APPLICATION_NAME,
  });
  pool.on('error', () => undefined);
  return pool;
}

/** Ids contain the time of their creation; a row of this long before a snapshot was committed before it, too. */
const COMMIT_MS = 60_000;
const ADDED = ['prompts', 'observations', '(SELECT id FROM learnings WHERE valid_to IS NULL) AS current']
  .map(
    (rows) =>
      `(SELECT count(*) FROM ${rows} WHERE id >= uuidv7_floor($1) AND ($2::timestamptz IS NULL OR id < uuidv7_floor($2)))`,
  )
  .join(' + ');

/**
 * Counts the prompts, observations and current learnings that a replaced database has and its replacement, now running, lacks: those added
 * after the snapshot.
 */
export async function countOnlyReplaced(
  server: RestoreServer,
  { running, replaced }: RestoreNames,
  snapshotAt: Date,
): Promise<number> {
  const countIn = (database: string, before: Date | null): Promise<number> =>
    asMaintenance(server, database, async (client) => {
      const { rows } = await client.query(`SELECT ${ADDED} AS rows`, [
        new Date(snapshotAt.getTime() - COMMIT_MS),
        before,
      ]);
      return Number(columnOf(rows, 'rows', z.string())[0]);
    });
  return Math.max(0, (await countIn(replaced, null)) - (await countIn(running, snapshotAt)));
}
