import { COPY_STORE, readRestoreWork } from '../../stores/postgres/backups/restores.ts';
import type { RestoreWork } from '../../stores/postgres/backups/restores.ts';
import type { JournalHead } from '../../domain/erasure/erasure-journal.ts';
import { BackupSetError } from '../../domain/backup/sets.ts';
import { ArchiveStoreError } from '../../domain/ports/archive-store.ts';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import { ownErasures, readJournals } from '../../stores/archive/journal.ts';
import type { JournalAccount } from '../../stores/archive/journal.ts';
import { carryErasures } from './carry-over.ts';
import { readManifest, listSets } from '../backup/read-manifest.ts';
import { fingerprintOf } from '../backup/manifest.ts';
import type { ReadableSet } from '../backup/read-set.ts';
import { maintenancePool } from '../../stores/postgres/backups/restored-database.ts';
import { ownEntries, storedHead } from '../../stores/postgres/erasure/erasure-journal.ts';
import { replayErasures, tombstonesSince } from '../../stores/postgres/erasure/replay-erasures.ts';
import type { ReplayedCounts } from '../../stores/postgres/erasure/replay-erasures.ts';
import { storeOf } from './restore-context.ts';
import type { RestoreContext, RestoreDependencies } from './restore-context.ts';

/** Erasures from this long before a snapshot are repeated: one that started before may have ended after it. No erasure takes a month. */
const ERASURE_MS = 31 * 86_400_000;
/** Upper limit of clock skew between machines and of a transaction that writes tombstones. */
const APART_MS = 3_600_000;
const EVER = new Date(0);
/** A store may contain unsigned backups: this many are tried. */
const SETS_TRIED = 50;

/** Start of the erasures that the verified copy may lack. */
const erasuresSince = ({ created_at: requestedAt }: RestoreWork): Date => new Date(requestedAt.getTime() - APART_MS);

const sum = (counts: ReplayedCounts): number => Object.values(counts).reduce((all, count) => all + count, 0);

/** Returns the journal head of the newest backup with a trusted signature. Unreadable backups are skipped. */
async function newestHead(
  store: ArchiveStore,
  trusted: readonly string[],
  signal: AbortSignal,
): Promise<JournalHead | null> {
  const { complete } = await listSets(store, signal);
  const newest = complete
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

/** Returns the known journal heads: of the backup, of the newest backup beside it and of this instance. */
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
 * Repeats on the copy what was erased or forgotten since the snapshot: by trusted entries of the journals of this instance and of the backup's
 * store, and by the tombstones of the running database. Repeatable. Returns the rows erased and the state of the journals. @throws
 * ArchiveStoreError if a store cannot be listed
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
 * Repeats on the copy what the replaced database erased or forgot during the verification, and copies its erasure records. Uses PostgreSQL and
 * these two databases alone, since there is no running one.
 */
export async function forgetAgain(
  { server, names }: Pick<RestoreContext, 'server' | 'names'>,
  restoreId: string,
): Promise<void> {
  const built = maintenancePool(server, names.built);
  const replaced = maintenancePool(server, names.replaced);
  try {
    const since = erasuresSince(await readRestoreWork(replaced, restoreId));
    const erasures = ownErasures(await ownEntries(replaced, since));
    await replayErasures(built, erasures, tombstonesSince(replaced, since));
    await carryErasures(replaced, built);
  } finally {
    await Promise.all([built.end(), replaced.end()]);
  }
}
