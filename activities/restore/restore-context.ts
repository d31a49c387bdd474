import type pg from 'pg';
import type { JournalEntry } from '../../domain/keep/erasure-journal.ts';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import type { VectorIndex } from '../../domain/ports/vector-index.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import { newestSet, openSet } from '../../stores/backup/read-set.ts';
import type { ReadableSet } from '../../stores/backup/read-set.ts';
import { restoreNames } from '../../stores/backup/restored-database.ts';
import type { RestoreNames, RestoreServer } from '../../stores/backup/restored-database.ts';
import { noteSet, readRestoreWork } from '../../stores/postgres/restores.ts';
import type { RestoreWork } from '../../stores/postgres/restores.ts';
import { BackupSetError } from '../../domain/keep/set-error.ts';
import { NotConfigured } from '../failures.ts';

export interface RestoreDependencies {
  /** Of the running database, as the maintenance role. */
  readonly maintenance: pg.Pool;
  /** Null: this worker may make no databases. */
  readonly server: RestoreServer | null;
  /** The instance's own store of sets; null where none is set. */
  readonly store: ArchiveStore | null;
  readonly storeAt: (address: string) => ArchiveStore;
  /** Keys and signers as they are set now. */
  readonly access: () => Promise<{ readonly keys: readonly Uint8Array[]; readonly trusted: readonly string[] }>;
  /** The served vectors. */
  readonly vectors: VectorIndex;
  /** Collections of drills alone. */
  readonly drillVectors: VectorIndex;
  readonly hints: WorkflowHints;
  /** How long a database is kept that a restore replaced. */
  readonly keepReplacedDays: number;
  /** Ends the workflows of tenants; answers how many. */
  readonly endWorkflows: () => Promise<number>;
  /** The journal of erasures, of every store that may have a part of it: those of this instance, and the one that a set is read from. */
  readonly readErasures: (address: string | null, signal: AbortSignal) => Promise<readonly JournalEntry[]>;
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

/** Opens the set of a restore; the newest one where none was named, which is noted, so that every step reads the same. */
export async function setOf(
  { maintenance, store, storeAt, access }: RestoreDependencies,
  { id, set_id: named, address, signer }: RestoreWork,
  signal: AbortSignal,
): Promise<ReadableSet> {
  const from = address === null ? store : storeAt(address);
  if (from === null) throw new NotConfigured('RECOLLECT_BACKUP_STORE: is needed for restores');
  const setId = named ?? (await newestSet(from, signal));
  if (setId === null) throw new BackupSetError('missing', `there is no set in ${from.address}`);
  const set = await openSet({ store: from, signer, ...(await access()) }, setId, signal);
  if (named === null) await noteSet(maintenance, id, setId);
  return set;
}
