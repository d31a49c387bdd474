import type pg from 'pg';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import type { VectorIndex } from '../../domain/ports/vector-index.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import { newestSet, openSet } from '../backup/read-set.ts';
import type { ReadableSet } from '../backup/read-set.ts';
import { restoreNames } from '../../stores/postgres/backups/restored-database.ts';
import type { RestoreNames, RestoreServer } from '../../stores/postgres/backups/restored-database.ts';
import { COPY_STORE, noteSet, readRestoreWork } from '../../stores/postgres/backups/restores.ts';
import type { RestoreWork, RestoreCounts } from '../../stores/postgres/backups/restores.ts';
import { BackupSetError } from '../../domain/backup/sets.ts';
import { NotConfigured } from '../failures.ts';

export interface RestoreDependencies {
  /** Pool of the running database, as the maintenance role. */
  readonly maintenance: pg.Pool;
  /** Null: this worker may not create databases. */
  readonly server: RestoreServer | null;
  /** The instance's backup store; null if not configured. */
  readonly store: ArchiveStore | null;
  /** The copy store; null if not configured. */
  readonly copy: ArchiveStore | null;
  readonly storeAt: (address: string) => ArchiveStore;
  /** Current keys and signers. */
  readonly access: () => Promise<{ readonly keys: readonly Uint8Array[]; readonly trusted: readonly string[] }>;
  /** The served vectors. */
  readonly vectors: VectorIndex;
  /** Collections used by drills alone. */
  readonly drillVectors: VectorIndex;
  readonly hints: WorkflowHints;
  /** Retention of databases that a restore replaced. */
  readonly replacedDatabaseKeepDays: number;
  /** Ends the workflows of tenants; returns their number. */
  readonly endWorkflows: () => Promise<number>;
  /** Files of archived sessions; null without an archive store. */
  readonly archives: ArchiveStore | null;
  /** Stores of the erasure journal: the backup store and the copy store. */
  readonly journals: readonly ArchiveStore[];
}

/** Input of every step of a restore. */
export interface RestoreContext {
  readonly work: RestoreWork;
  readonly server: RestoreServer;
  readonly names: RestoreNames;
}

/** @throws NotConfigured where this worker cannot restore */
export function namesOf({ server }: RestoreDependencies, restoreId: string): Omit<RestoreContext, 'work'> {
  if (server === null) throw new NotConfigured('RECOLLECT_RESTORE_DATABASE_URL: restores require it');
  return { server, names: restoreNames(server, restoreId) };
}

/** Reads a step's context. @throws NotConfigured */
export async function contextOf(dependencies: RestoreDependencies, restoreId: string): Promise<RestoreContext> {
  return { work: await readRestoreWork(dependencies.maintenance, restoreId), ...namesOf(dependencies, restoreId) };
}

/** Returns the store of a restore's backup. @throws NotConfigured */
export function storeOf(
  { store, copy, storeAt }: Pick<RestoreDependencies, 'store' | 'copy' | 'storeAt'>,
  address: string | null,
): ArchiveStore {
  const from = address === null ? store : address === COPY_STORE ? copy : storeAt(address);
  if (from !== null) return from;
  throw new NotConfigured(
    `${address === null ? 'RECOLLECT_BACKUP_STORE' : 'RECOLLECT_BACKUP_COPY_STORE'}: this restore requires it`,
  );
}

/** Opens the backup of a restore; without an id the newest, which is recorded so that every step reads the same. */
export async function setOf(
  dependencies: RestoreDependencies,
  { id, backup_id: named, store, signer }: RestoreWork,
  signal: AbortSignal,
): Promise<ReadableSet> {
  const { maintenance, access } = dependencies;
  const from = storeOf(dependencies, store);
  const backupId = named ?? (await newestSet(from, signal));
  if (backupId === null) throw new BackupSetError('missing', `no backup in ${from.address}`);
  const set = await openSet({ store: from, signer, ...(await access()) }, backupId, signal);
  if (named === null) await noteSet(maintenance, id, backupId);
  return set;
}

/** Interval of progress records. */
const NOTE_MS = 1_000;

/** Returns a function that records progress at most once per interval; the next record compensates for a failed one. */
export function progressNoter(note: (counts: RestoreCounts) => Promise<void>): (counts: RestoreCounts) => void {
  let last = -Infinity;
  return (counts) => {
    if (performance.now() - last < NOTE_MS) return;
    last = performance.now();
    void note(counts).catch(() => undefined);
  };
}
