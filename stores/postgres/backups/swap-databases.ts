import type pg from 'pg';
import { RestoreError } from '../../../domain/backup/sets.ts';
import { asCreator, databaseExists } from './restored-database.ts';
import type { RestoreNames, RestoreServer } from './restored-database.ts';

/** Time for connections to end: a pool can reconnect once before new connections are rejected. */
const TERMINATE_MS = 30_000;
const PAUSE_MS = 100;
const OBJECT_IN_USE = '55006';

/** Terminates connections, except of superusers; workers of PostgreSQL end themselves on the rename. */
const TERMINATE = `
  SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
   WHERE a.datname = $1 AND a.pid <> pg_backend_pid() AND NOT r.rolsuper`;

/**
 * Renames a database: rejects new connections meanwhile and terminates the others. Allows connections again if the rename fails.
 * @throws RestoreError `refused` if a connection cannot be terminated
 */
async function rename(creator: pg.Client, from: string, to: string): Promise<void> {
  const [source, target] = [creator.escapeIdentifier(from), creator.escapeIdentifier(to)];
  await creator.query(`ALTER DATABASE ${source} ALLOW_CONNECTIONS false`);
  const deadline = performance.now() + TERMINATE_MS;
  try {
    for (;;) {
      await creator.query(TERMINATE, [from]);
      try {
        await creator.query(`ALTER DATABASE ${source} RENAME TO ${target}`);
        return;
      } catch (error) {
        const isInUse = error instanceof Error && 'code' in error && error.code === OBJECT_IN_USE;
        if (!isInUse) throw error;
        if (performance.now() > deadline)
          throw new RestoreError('refused', `a connection to the database ${from} cannot be terminated`);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  } catch (error) {
    // The next attempt must be able to connect; the first error is thrown.
    await allowConnections(creator, from).catch(() => undefined);
    throw error;
  }
}

async function allowConnections(creator: pg.Client, name: string): Promise<void> {
  if (await databaseExists(creator, name))
    await creator.query(`ALTER DATABASE ${creator.escapeIdentifier(name)} ALLOW_CONNECTIONS true`);
}

/** `ready`: both exist; `between`: there is no running one; `completed`: the built one runs. */
export type SwapState = 'ready' | 'between' | 'completed';

/**
 * Returns the state of a swap.
 * @throws RestoreError `refused` if the built database is missing but not swapped in, or if built, running and replaced database all exist
 */
export function swapState(server: RestoreServer, names: RestoreNames): Promise<SwapState> {
  return asCreator(server, async (creator) => {
    const isBuilt = await databaseExists(creator, names.built);
    const isReplaced = await databaseExists(creator, names.replaced);
    if (!isReplaced) {
      if (isBuilt) return 'ready';
      throw new RestoreError('refused', `the database ${names.built} does not exist`);
    }
    if (!isBuilt) return 'completed';
    if (await databaseExists(creator, names.running))
      throw new RestoreError('refused', `the database ${names.running} was already replaced by this restore`);
    return 'between';
  });
}

/**
 * Replaces the running database by the built one and gives the running one another name. Terminates all connections. Continues after an
 * interruption at any point. Calls `between` while no database has the running name, possibly more than once.
 */
export async function swapDatabases(
  server: RestoreServer,
  names: RestoreNames,
  between: () => Promise<void>,
): Promise<void> {
  const state = await swapState(server, names);
  await asCreator(server, async (creator) => {
    if (state === 'ready') await rename(creator, names.running, names.replaced);
    await allowConnections(creator, names.replaced);
    if (state !== 'completed') {
      // An attempt that was killed at the last rename left it closed.
      await allowConnections(creator, names.built);
      await between();
      await rename(creator, names.built, names.running);
    }
    await allowConnections(creator, names.running);
  });
}

/** Allows connections to both databases before a swap: an attempt that was killed at a rename can leave one closed. */
export async function openDatabases(server: RestoreServer, names: RestoreNames): Promise<void> {
  await asCreator(server, async (creator) => {
    await allowConnections(creator, names.running);
    await allowConnections(creator, names.built);
  });
}

/** Renames the replaced database back after an abandoned swap; the built database remains. */
export async function undoSwap(server: RestoreServer, names: RestoreNames): Promise<void> {
  await asCreator(server, async (creator) => {
    const isBetween =
      !(await databaseExists(creator, names.running)) &&
      (await databaseExists(creator, names.built)) &&
      (await databaseExists(creator, names.replaced));
    if (isBetween) await rename(creator, names.replaced, names.running);
    await allowConnections(creator, names.running);
  });
}
