import type pg from 'pg';
import { RestoreError } from '../../../domain/backup/set-error.ts';
import { asMaker, databaseExists } from './restored-database.ts';
import type { RestoreNames, RestoreServer } from './restored-database.ts';

/** How long those who are inside are asked to leave: a pool may come in once more before it is told that nobody may. */
const LEAVE_MS = 30_000;
const PAUSE_MS = 100;
const OBJECT_IN_USE = '55006';

/** Whoever is inside and may be sent away. Superusers may not; PostgreSQL's own workers leave by themselves when the name is changed. */
const SEND_AWAY = `
  SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
   WHERE a.datname = $1 AND a.pid <> pg_backend_pid() AND NOT r.rolsuper`;

/**
 * Renames a database that somebody may still be in; nobody enters it meanwhile. One that keeps its name lets people in again.
 * @throws RestoreError `refused` where somebody stays who may not be sent away
 */
async function rename(maker: pg.Client, from: string, to: string): Promise<void> {
  const [source, target] = [maker.escapeIdentifier(from), maker.escapeIdentifier(to)];
  await maker.query(`ALTER DATABASE ${source} ALLOW_CONNECTIONS false`);
  const deadline = performance.now() + LEAVE_MS;
  try {
    for (;;) {
      await maker.query(SEND_AWAY, [from]);
      try {
        await maker.query(`ALTER DATABASE ${source} RENAME TO ${target}`);
        return;
      } catch (error) {
        const isInUse = error instanceof Error && 'code' in error && error.code === OBJECT_IN_USE;
        if (!isInUse) throw error;
        if (performance.now() > deadline)
          throw new RestoreError('refused', `somebody who cannot be sent away is connected to the database ${from}`);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  } catch (error) {
    // Also the next attempt must get in; what is to be told is why this one failed.
    await letIn(maker, from).catch(() => undefined);
    throw error;
  }
}

async function letIn(maker: pg.Client, name: string): Promise<void> {
  if (await databaseExists(maker, name))
    await maker.query(`ALTER DATABASE ${maker.escapeIdentifier(name)} ALLOW_CONNECTIONS true`);
}

/** `ready`: both stand; `between`: there is no running one; `done`: the built one runs. */
export type SwapState = 'ready' | 'between' | 'completed';

/**
 * How far a swap is.
 * @throws RestoreError `refused` where what was built is gone without having been swapped in, or both it and another running one stand beside the replaced one
 */
export function swapState(server: RestoreServer, names: RestoreNames): Promise<SwapState> {
  return asMaker(server, async (maker) => {
    const isBuilt = await databaseExists(maker, names.built);
    const isReplaced = await databaseExists(maker, names.replaced);
    if (!isReplaced) {
      if (isBuilt) return 'ready';
      throw new RestoreError('refused', `the database ${names.built} is gone`);
    }
    if (!isBuilt) return 'completed';
    if (await databaseExists(maker, names.running))
      throw new RestoreError('refused', `the database ${names.running} was already replaced by this restore`);
    return 'between';
  });
}

/**
 * Puts the built database in the place of the running one, which keeps its rows under another name. Everybody who is connected is cut off and
 * finds the new one when he connects again. Done again after it was interrupted anywhere, it goes on from there; `between` is done while
 * there is no database of that name, and may be done more than once.
 */
export async function swapDatabases(
  server: RestoreServer,
  names: RestoreNames,
  between: () => Promise<void>,
): Promise<void> {
  const state = await swapState(server, names);
  await asMaker(server, async (maker) => {
    if (state === 'ready') await rename(maker, names.running, names.replaced);
    await letIn(maker, names.replaced);
    if (state !== 'completed') {
      // An attempt that was killed at the last rename left it closed.
      await letIn(maker, names.built);
      await between();
      await rename(maker, names.built, names.running);
    }
    await letIn(maker, names.running);
  });
}

/** Lets everybody into the two databases of a swap that has not begun: an attempt that was killed at a rename left one closed. */
export async function openDatabases(server: RestoreServer, names: RestoreNames): Promise<void> {
  await asMaker(server, async (maker) => {
    await letIn(maker, names.running);
    await letIn(maker, names.built);
  });
}

/** Gives the running database its name back, where a swap was given up in the middle: what was built stands still, too. */
export async function undoSwap(server: RestoreServer, names: RestoreNames): Promise<void> {
  await asMaker(server, async (maker) => {
    const isBetween =
      !(await databaseExists(maker, names.running)) &&
      (await databaseExists(maker, names.built)) &&
      (await databaseExists(maker, names.replaced));
    if (isBetween) await rename(maker, names.replaced, names.running);
    await letIn(maker, names.running);
  });
}
