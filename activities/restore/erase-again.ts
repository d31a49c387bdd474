import { COPY_STORE, readRestoreWork } from '../../stores/postgres/backups/restores.ts';
import type { RestoreWork } from '../../stores/postgres/backups/restores.ts';
import type { JournalHead } from '../../domain/erasure/erasure-journal.ts';
import { BackupSetError } from '../../domain/backup/set-error.ts';
import { ArchiveStoreError } from '../../domain/ports/archive-store.ts';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import { ownErasures, readJournals } from '../../stores/archive/journal.ts';
import type { JournalAccount } from '../../stores/archive/journal.ts';
import { carryErasures } from './carry-over.ts';
import { readManifest } from '../backup/read-manifest.ts';
import { fingerprintOf } from '../backup/read-set.ts';
import type { ReadableSet } from '../backup/read-set.ts';
import { listSets } from '../backup/stored-sets.ts';
import { maintenancePool } from '../../stores/postgres/backups/restored-database.ts';
import { ownEntries, storedHead } from '../../stores/postgres/erasure/erasure-journal.ts';
import { replayErasures, tombstonesSince } from '../../stores/postgres/erasure/replay-erasures.ts';
import type { ReplayedCounts } from '../../stores/postgres/erasure/replay-erasures.ts';
import { storeOf } from './restore-context.ts';
import type { RestoreContext, RestoreDependencies } from './restore-context.ts';

/** How long before a snapshot erasures are looked at: one that began before it may have ended after it. A month is more than any takes. */
const ERASURE_MS = 31 * 86_400_000;
/** Clocks of two machines are no further apart, and no transaction that buries something takes longer. */
const APART_MS = 3_600_000;
const EVER = new Date(0);
/** Whoever may write to the store can put sets there that nobody signed. */
const SETS_TRIED = 50;

/** From when on erasures may be missing in what a restore built: those before were done again while it was proved. */
const sinceAsked = ({ created_at: askedAt }: RestoreWork): Date => new Date(askedAt.getTime() - APART_MS);

const sum = (counts: ReplayedCounts): number => Object.values(counts).reduce((all, count) => all + count, 0);

/** The journal's head in the newest set of a store that somebody trusted signed. Sets that cannot be read are not what is restored, and tell nothing. */
async function newestHead(
  store: ArchiveStore,
  trusted: readonly string[],
  signal: AbortSignal,
): Promise<JournalHead | null> {
  const { whole } = await listSets(store, signal);
  const newest = whole
    .map(({ id }) => id)
    .toSorted()
    .toReversed();
  for (const id of newest.slice(0, SETS_TRIED))
    try {
      return (await readManifest(store, id, trusted, signal)).journal;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof BackupSetError) && !(error instanceof ArchiveStoreError)) throw error;
    }
  return null;
}

/** How far journals were: by the set, by the newest set beside it, and by this instance. */
async function headsOf(
  dependencies: RestoreDependencies,
  { work }: RestoreContext,
  { manifest, publicKey }: ReadableSet,
  signal: AbortSignal,
): Promise<JournalHead[]> {
  const { trusted } = await dependencies.access();
  const later = await newestHead(storeOf(dependencies, work.store), [...trusted, publicKey], signal);
  return [manifest.journal, later, await storedHead(dependencies.maintenance)].filter((head) => head !== null);
}

/**
 * What was erased or forgotten since the snapshot goes from the copy, too: by the journals of this instance and of the store that the set is read from, as far as
 * somebody signed them who may sign sets here, and by the tombstones of the running database. Doing one twice changes nothing. Returns how many rows went, and what
 * the journals are worth.
 * @throws ArchiveStoreError where a store cannot be listed
 */
export async function eraseAgain(
  dependencies: RestoreDependencies,
  context: RestoreContext,
  set: ReadableSet,
  signal: AbortSignal,
): Promise<{ readonly rows: number; readonly journal: JournalAccount }> {
  const { maintenance, journals } = dependencies;
  const { work, server, names } = context;
  const since = new Date(new Date(set.manifest.snapshotAt).getTime() - ERASURE_MS);
  const { trusted } = await dependencies.access();
  const isElsewhere = work.store !== null && work.store !== COPY_STORE;
  const { erasures, account } = await readJournals({
    stores: isElsewhere ? [...journals, storeOf(dependencies, work.store)] : journals,
    isTrusted: (publicKey) =>
      publicKey === set.publicKey || trusted.includes(publicKey) || fingerprintOf(publicKey) === work.signer,
    heads: await headsOf(dependencies, context, set, signal),
    own: await ownEntries(maintenance, EVER),
    signal,
  });
  const later = erasures.filter(({ at }) => at >= since);
  const pool = maintenancePool(server, names.built);
  try {
    const rows = sum(await replayErasures(pool, later, tombstonesSince(maintenance, since)));
    return { rows, journal: { ...account, erasures: later.length } };
  } finally {
    await pool.end();
  }
}

/**
 * What the replaced database erased and buried while the copy was proved goes from the copy, too, and its accounts of erasures come into it. Asks PostgreSQL alone,
 * and only databases that stand: it is called while there is no running one.
 */
export async function buryAgain(
  { server, names }: Pick<RestoreContext, 'server' | 'names'>,
  restoreId: string,
): Promise<void> {
  const built = maintenancePool(server, names.built);
  const replaced = maintenancePool(server, names.replaced);
  try {
    const since = sinceAsked(await readRestoreWork(replaced, restoreId));
    const erasures = ownErasures(await ownEntries(replaced, since));
    await replayErasures(built, erasures, tombstonesSince(replaced, since));
    await carryErasures(replaced, built);
  } finally {
    await Promise.all([built.end(), replaced.end()]);
  }
}
