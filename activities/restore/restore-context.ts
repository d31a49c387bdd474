import type pg from 'pg';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import type { VectorIndex } from '../../domain/ports/vector-index.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import { newestSet, openSet } from '../backup/read-set.ts';
import type { ReadableSet } from '../backup/read-set.ts';
import { restoreNames } from '../../stores/postgres/backups/restored-database.ts';
import type { RestoreNames, RestoreServer } from '../../stores/postgres/backups/restored-database.ts';
import { COPY_ADDRESS, noteSet, readRestoreWork } from '../../stores/postgres/backups/restores.ts';
import type { RestoreWork, RestoreCounts } from '../../stores/postgres/backups/restores.ts';
import { BackupSetError } from '../../domain/backup/set-error.ts';
import { NotConfigured } from '../failures.ts';

export interface RestoreDependencies {
  /** Of the running database, as the maintenance role. */
  readonly maintenance: pg.Pool;
  /** Null: this worker may make no databases. */
  readonly server: RestoreServer | null;
  /** The instance's own store of sets; null where none is set. */
  readonly store: ArchiveStore | null;
  /** Where its sets are copied; null where no such place is set. */
  readonly copy: ArchiveStore | null;
  readonly storeAt: (address: string) => ArchiveStore;
  /** Keys and signers as they are set now. */
  readonly access: () => Promise<{ readonly keys: readonly Uint8Array[]; readonly trusted: readonly string[] }>;
  /** The served vectors. */
  readonly vectors: VectorIndex;
  /** Collections of drills alone. */
  readonly drillVectors: VectorIndex;
  readonly hints: WorkflowHints;
  /** How long a database is kept that a restore replaced. */
  readonly replacedDatabaseKeepDays: number;
  /** Ends the workflows of tenants; answers how many. */
  readonly endWorkflows: () => Promise<number>;
  /** Files of archived sessions; null where no store of them is set. */
  readonly archives: ArchiveStore | null;
  /** Where this instance journals erasures: beside its sets, and beside their copies. */
  readonly journals: readonly ArchiveStore[];
}

/** What every step of a restore begins with. */
export interface RestoreContext {
  readonly work: RestoreWork;
  readonly server: RestoreServer;
  readonly names: RestoreNames;
}

/** @throws NotConfigured where this worker cannot restore */
export function namesOf({ server }: RestoreDependencies, restoreId: string): Omit<RestoreContext, 'work'> {
  if (server === null) throw new NotConfigured('RECOLLECT_RESTORE_DATABASE_URL: is needed for restores');
  return { server, names: restoreNames(server, restoreId) };
}

/** What a step works with, by its row. @throws NotConfigured */
export async function contextOf(dependencies: RestoreDependencies, restoreId: string): Promise<RestoreContext> {
  return { work: await readRestoreWork(dependencies.maintenance, restoreId), ...namesOf(dependencies, restoreId) };
}

/** The store that a restore reads its set from. @throws NotConfigured */
export function storeOf(
  { store, copy, storeAt }: Pick<RestoreDependencies, 'store' | 'copy' | 'storeAt'>,
  address: string | null,
): ArchiveStore {
  const from = address === null ? store : address === COPY_ADDRESS ? copy : storeAt(address);
  if (from !== null) return from;
  throw new NotConfigured(
    `${address === null ? 'RECOLLECT_BACKUP_STORE' : 'RECOLLECT_BACKUP_COPY_STORE'}: is needed for this restore`,
  );
}

/** Opens the set of a restore; the newest one where none was named, which is noted, so that every step reads the same. */
export async function setOf(
  dependencies: RestoreDependencies,
  { id, set_id: named, address, signer }: RestoreWork,
  signal: AbortSignal,
): Promise<ReadableSet> {
  const { maintenance, access } = dependencies;
  const from = storeOf(dependencies, address);
  const setId = named ?? (await newestSet(from, signal));
  if (setId === null) throw new BackupSetError('missing', `there is no set in ${from.address}`);
  const set = await openSet({ store: from, signer, ...(await access()) }, setId, signal);
  if (named === null) await noteSet(maintenance, id, setId);
  return set;
}

/** How often progress is written. */
const NOTE_MS = 1_000;

/** Notes progress once in a while; a note that fails is made up for by the next one. */
export function progressNoter(note: (counts: RestoreCounts) => Promise<void>): (counts: RestoreCounts) => void {
  let last = -Infinity;
  return (counts) => {
    if (performance.now() - last < NOTE_MS) return;
    last = performance.now();
    void note(counts).catch(() => undefined);
  };
}
