import { JOURNAL_PREFIX } from '../../domain/keep/erasure-journal.ts';
import { readJournalBytes } from './journal-entry.ts';
import type { JournalEntry } from '../../domain/keep/erasure-journal.ts';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';

/** Ten thousand names and what stands around them. */
const MAX_ENTRY_BYTES = 2 * 1024 * 1024;

/** Every erasure that one of these stores tells of, once, in the order in which they were asked for. @throws ArchiveStoreError; Error for an entry that cannot be read: nothing is restored past it */
export async function readJournal(stores: readonly ArchiveStore[], signal?: AbortSignal): Promise<JournalEntry[]> {
  const entries = new Map<string, JournalEntry>();
  for (const store of stores)
    for await (const { key, bytes } of store.list(JOURNAL_PREFIX, signal)) {
      if (bytes > MAX_ENTRY_BYTES) throw new Error(`the entry ${key} of the journal of erasures is too large`);
      const pieces: Uint8Array[] = [];
      for await (const piece of store.read(key, signal)) pieces.push(piece);
      const entry = readJournalBytes(Buffer.concat(pieces));
      if (entry === null) throw new Error(`the entry ${key} of the journal of erasures cannot be read`);
      entries.set(entry.id, entry);
    }
  return [...entries.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
