import type pg from 'pg';
import { journalKey } from '../../domain/erasure/erasure-journal.ts';
import type { JournalRecord } from '../../domain/erasure/erasure-journal.ts';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import { readJournalObject } from '../../stores/archive/journal-entry.ts';
import {
  appendToJournal,
  entriesOf,
  noteStored,
  unstoredEntries,
} from '../../stores/postgres/erasure/erasure-journal.ts';
import type { JournalObject } from '../../stores/postgres/erasure/erasure-journal.ts';
import { reportProgress } from '../heartbeat.ts';
import type { ObjectStore } from '../../domain/ports/object-store.ts';
import type { VectorIndex } from '../../domain/ports/vector-index.ts';
import type { WorkflowHints } from '../../domain/ports/workflow-hints.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import type { TenantScope } from '../../stores/postgres/connection/tenant-scope.ts';

export interface ErasureDependencies extends JournalDependencies {
  readonly database: Database;
  /** Over the same pool. */
  readonly scope: TenantScope;
  readonly vectors: VectorIndex;
  readonly hints: WorkflowHints;
  /** Whole values; null where none are kept. */
  readonly wholes: ObjectStore | null;
  /** Archived sessions, exports, files of imports; null where no store is set. */
  readonly archive: ArchiveStore | null;
  readonly now: () => number;
}

export interface JournalDependencies {
  /** As the maintenance role. */
  readonly maintenance: pg.Pool;
  /** Where the journal and the receipts lie: the backup store and its copy. */
  readonly journals: readonly ArchiveStore[];
  /** PKCS #8 DER of an Ed25519 key; null: nothing is journalled, since no restore would follow it. */
  readonly signingKey: Uint8Array | null;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Writes an object into every store of the journal; done when it lies in all of them. @throws ArchiveStoreError */
export async function intoJournals(
  { journals }: Pick<JournalDependencies, 'journals'>,
  key: string,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  for (const store of journals) await store.write(key, once(bytes), signal);
}

/** Writes entries into the stores that do not lie in all of them yet: those of a process that died between the two, too. @throws ArchiveStoreError */
export async function storeJournal(dependencies: JournalDependencies, signal: AbortSignal): Promise<void> {
  for (const { journal, sequence, object } of await unstoredEntries(dependencies.maintenance)) {
    await intoJournals(dependencies, journalKey(journal, sequence), Buffer.from(object), signal);
    await noteStored(dependencies.maintenance, sequence);
    reportProgress(signal);
  }
}

/** Opens the journal where it has no entry yet, and stores what is not stored. @throws ArchiveStoreError */
export async function openJournal(dependencies: JournalDependencies, signal: AbortSignal): Promise<void> {
  const { maintenance, journals, signingKey } = dependencies;
  if (signingKey === null || journals.length === 0) return;
  await appendToJournal(maintenance, null, signingKey, new Date());
  await storeJournal(dependencies, signal);
}

function isSame(object: JournalObject | undefined, record: JournalRecord): boolean {
  const last = object === undefined ? 'unreadable' : readJournalObject(Buffer.from(object.object));
  return typeof last !== 'string' && JSON.stringify(last.entry.record) === JSON.stringify(record);
}

/** Appends an entry and stores it; one that an attempt before this one appended is only stored. @throws ArchiveStoreError */
export async function writeToJournal(
  dependencies: JournalDependencies,
  record: Exclude<JournalRecord, { readonly kind: 'opened' }>,
  at: Date,
  signal: AbortSignal,
): Promise<void> {
  const { maintenance, journals, signingKey } = dependencies;
  if (signingKey === null || journals.length === 0) return;
  const before = await entriesOf(maintenance, record.erasure_id);
  if (!isSame(before.at(-1), record)) await appendToJournal(maintenance, record, signingKey, at);
  await storeJournal(dependencies, signal);
}
