import { carryErasures } from '../../stores/backup/carry-over.ts';
import { maintenancePool } from '../../stores/backup/restored-database.ts';
import { replayErasures, tombstonesSince } from '../../stores/postgres/replay-erasures.ts';
import type { ReplayedCounts } from '../../stores/postgres/replay-erasures.ts';
import { readRestoreWork } from '../../stores/postgres/restores.ts';
import type { RestoreWork } from '../../stores/postgres/restores.ts';
import type { RestoreContext, RestoreDependencies } from './restore-context.ts';

/** How long before a snapshot erasures are looked at: one that began before it may have ended after it. A month is more than any takes. */
const ERASURE_MS = 31 * 86_400_000;
/** Clocks of two machines are no further apart, and no transaction that buries something takes longer. */
const APART_MS = 3_600_000;

/** From when on erasures may be missing in a set. */
export const sinceSnapshot = (snapshotAt: Date): Date => new Date(snapshotAt.getTime() - ERASURE_MS);

/** From when on erasures may be missing in what a restore built: those before were done again while it was proved. */
export const sinceAsked = ({ created_at: askedAt }: RestoreWork): Date => new Date(askedAt.getTime() - APART_MS);

const sum = (counts: ReplayedCounts): number => Object.values(counts).reduce((all, count) => all + count, 0);

/**
 * What was erased or forgotten since a moment goes from the copy, too: by the journals of this instance and of the store that the set is read from, and
 * by the tombstones of the running database. Doing one twice changes nothing. Answers how many rows went.
 * @throws ArchiveStoreError, and Error for an entry that cannot be read: nothing is restored past it
 */
export async function eraseAgain(
  { maintenance, readErasures }: Pick<RestoreDependencies, 'maintenance' | 'readErasures'>,
  { work, server, names }: RestoreContext,
  since: Date,
  signal: AbortSignal,
): Promise<number> {
  const entries = (await readErasures(work.address, signal)).filter(({ at }) => new Date(at) >= since);
  const pool = maintenancePool(server, names.built);
  try {
    return sum(await replayErasures(pool, entries, tombstonesSince(maintenance, since)));
  } finally {
    await pool.end();
  }
}

/**
 * What the replaced database buried while the copy was proved goes from the copy, too, and its accounts of erasures come into it. Asks PostgreSQL alone, and only
 * databases that stand: it is called while there is no running one.
 */
export async function buryAgain(
  { server, names }: Pick<RestoreContext, 'server' | 'names'>,
  restoreId: string,
): Promise<void> {
  const built = maintenancePool(server, names.built);
  const replaced = maintenancePool(server, names.replaced);
  try {
    await replayErasures(built, [], tombstonesSince(replaced, sinceAsked(await readRestoreWork(built, restoreId))));
    await carryErasures(replaced, built);
  } finally {
    await Promise.all([built.end(), replaced.end()]);
  }
}
