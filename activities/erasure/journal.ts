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
  /** Uses the same pool. */
  readonly scope: TenantScope;
  readonly vectors: VectorIndex;
  readonly hints: WorkflowHints;
  /** Full values; null if none are stored. */
  readonly fullValues: ObjectStore | null;
  /** Archived sessions, exports, import files; null if not configured. */
  readonly archive: ArchiveStore | null;
  readonly now: () => number;
}

export interface JournalDependencies {
  /** As the maintenance role. */
  readonly maintenance: pg.Pool;
  /** Stores of the journal and the receipts: the backup store and its copy. */
  readonly journals: readonly ArchiveStore[];
  /** PKCS #8 DER of an Ed25519 key; null: no journal, since no restore would trust it. */
  readonly signingKey: Uint8Array | null;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Writes an object into every journal store. @throws ArchiveStoreError */
export async function intoJournals(
  { journals }: Pick<JournalDependencies, 'journals'>,
  key: string,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  for (const store of journals) await store.write(key, once(bytes), signal);
}

/** Stores entries that some store lacks, those of a process that died included. @throws ArchiveStoreError */
export async function storeJournal(dependencies: JournalDependencies, signal: AbortSignal): Promise<void> {
  for (const { journal, sequence, object } of await unstoredEntries(dependencies.maintenance)) {
    await intoJournals(dependencies, journalKey(journal, sequence), Buffer.from(object), signal);
    await noteStored(dependencies.maintenance, sequence);
    reportProgress(signal);
  }
}

/** Opens the journal if it is empty and stores pending entries. @throws ArchiveStoreError */
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

/** Appends an entry, unless a previous attempt did, and stores it. @throws ArchiveStoreError */
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
