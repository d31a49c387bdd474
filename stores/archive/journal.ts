import { entrySha256, JOURNAL_PREFIX, journalKey } from '../../domain/erasure/erasure-journal.ts';
import type { ErasedNames, JournalFault, JournalHead } from '../../domain/erasure/erasure-journal.ts';
import { ArchiveStoreError } from '../../domain/ports/archive-store.ts';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import type { JournalObject } from '../postgres/erasure/erasure-journal.ts';
import { MAX_JOURNAL_OBJECT_BYTES, readJournalObject } from './journal-entry.ts';
import type { StoredEntry } from './journal-entry.ts';

/** Bounds for objects that are no valid entries: anyone with write access to the store can add them. */
const MAX_STRANGERS = 2_000;
const MAX_STRANGER_BYTES = 256 * 1024 * 1024;
/** Objects of one listing. */
const MAX_LISTED = 1_000_000;
/** Attempts to read an object, with exponential pauses. */
const READ_TRIES = 4;
const PAUSE_MS = 1_000;
/** Keys that are named in an account. */
const NAMED = 20;

/** Result of reading the journals: the number of erasures to repeat, and the faults. */
export interface JournalAccount {
  readonly erasures: number;
  readonly faults: Partial<Record<JournalFault, number>>;
  /** Keys of some of the faults. */
  readonly examples: readonly string[];
}

export interface JournalReading {
  readonly stores: readonly ArchiveStore[];
  /** Returns true for a trusted public key (SPKI, base64). */
  readonly isTrusted: (publicKey: string) => boolean;
  /** Heads of journals, from signed manifests and this instance. */
  readonly heads: readonly JournalHead[];
  /** Entries of this instance's database: they win over the stores. */
  readonly own: readonly JournalObject[];
  readonly signal?: AbortSignal;
}

/** Returns the bytes of an object; null if it is missing, undefined if it is too large or the store does not return it. */
async function bytesOf(
  store: ArchiveStore,
  key: string,
  signal: AbortSignal | undefined,
): Promise<Buffer | null | undefined> {
  for (let left = READ_TRIES, pause = PAUSE_MS; ; left -= 1, pause *= 2) {
    try {
      const pieces: Uint8Array[] = [];
      let bytes = 0;
      for await (const piece of store.read(key, signal)) {
        bytes += piece.byteLength;
        if (bytes > MAX_JOURNAL_OBJECT_BYTES) return undefined;
        pieces.push(piece);
      }
      return Buffer.concat(pieces, bytes);
    } catch (error) {
      signal?.throwIfAborted();
      // Not a key of this project: other programs may write to the bucket.
      if (error instanceof RangeError) return undefined;
      if (!(error instanceof ArchiveStoreError)) throw error;
      if (error.kind === 'missing') return null;
      if (error.kind !== 'unavailable' || left <= 1) return undefined;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

/** Collects entries by their place, and faults. */
class Reading {
  readonly entries = new Map<string, StoredEntry>();
  readonly examples: string[] = [];
  readonly faults: Partial<Record<JournalFault, number>> = {};
  private readonly isTrusted: (publicKey: string) => boolean;

  constructor(isTrusted: (publicKey: string) => boolean) {
    this.isTrusted = isTrusted;
  }

  fault(fault: JournalFault, key: string): void {
    this.faults[fault] = (this.faults[fault] ?? 0) + 1;
    const example = `${fault}: ${key.slice(0, 200).replaceAll(/[^\w./-]/gu, '?')}`;
    if (this.examples.length < NAMED && !this.examples.includes(example)) this.examples.push(example);
  }

  /** Adds an object, only at its own place; the first valid one counts. Returns false for an object that is no entry to follow. */
  take(key: string, bytes: Uint8Array): boolean {
    const read = readJournalObject(bytes);
    if (typeof read === 'string') this.fault(read, key);
    else if (!this.isTrusted(read.publicKey)) this.fault('foreign', key);
    else if (journalKey(read.entry.journal, read.entry.sequence) !== key) this.fault('misplaced', key);
    else {
      if (!this.entries.has(key)) this.entries.set(key, read);
      return true;
    }
    return false;
  }
}

/** Reads the entries of known journals by their keys, one after another, so that nothing that was put beside them is in the way. */
async function readKnown(reading: Reading, store: ArchiveStore, given: JournalReading): Promise<Set<string>> {
  const seen = new Set<string>();
  for (const [journal, heads] of Map.groupBy(given.heads, (head) => head.journal)) {
    const known = Math.max(...heads.map(({ entries }) => entries));
    // Continues after the last known entry while entries have a trusted signature.
    for (let sequence = 1, isMore = true; sequence <= known || isMore; sequence += 1) {
      const key = journalKey(journal, sequence);
      const bytes = await bytesOf(store, key, given.signal);
      if (bytes === undefined) reading.fault('unreadable', key);
      else if (bytes !== null) reading.take(key, bytes);
      isMore = reading.entries.has(key) && bytes !== null;
      if (bytes !== null) seen.add(key);
    }
  }
  return seen;
}

/** Reads the other objects: journals that no manifest names, and invalid objects. */
async function readOthers(
  reading: Reading,
  store: ArchiveStore,
  seen: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<void> {
  let [listed, strangers, strangerBytes] = [0, 0, 0];
  for await (const { key, bytes: size } of store.list(JOURNAL_PREFIX, signal)) {
    listed += 1;
    if (listed > MAX_LISTED || strangers > MAX_STRANGERS || strangerBytes > MAX_STRANGER_BYTES) {
      reading.fault('unlisted', key);
      return;
    }
    if (seen.has(key)) continue;
    const bytes = size > MAX_JOURNAL_OBJECT_BYTES ? undefined : await bytesOf(store, key, signal);
    if (bytes === undefined) reading.fault('unreadable', key);
    else if (bytes !== null && reading.take(key, bytes)) continue;
    strangers += 1;
    strangerBytes += bytes?.byteLength ?? 0;
  }
}

/** Finds gaps, and entries that are not those which their successors or the heads name. */
function checkChains(reading: Reading, heads: readonly JournalHead[]): void {
  const chains = Map.groupBy(
    [...reading.entries.values()].map(({ entry, text }) => ({ entry, sha256: entrySha256(text) })),
    ({ entry }) => entry.journal,
  );
  for (const journal of new Set([...chains.keys(), ...heads.map((head) => head.journal)])) {
    const bySequence = new Map((chains.get(journal) ?? []).map((stored) => [stored.entry.sequence, stored]));
    const known = heads.filter((head) => head.journal === journal);
    const last = [...bySequence.keys(), ...known.map(({ entries }) => entries)].reduce((a, b) => Math.max(a, b), 0);
    for (let sequence = 1; sequence <= last; sequence += 1) {
      const key = journalKey(journal, sequence);
      const stored = bySequence.get(sequence);
      if (stored === undefined) {
        reading.fault('missing', key);
        continue;
      }
      const next = bySequence.get(sequence + 1);
      const isNamed =
        (next === undefined || next.entry.previous === stored.sha256) &&
        known.every((head) => head.entries !== sequence || head.last === stored.sha256);
      if (!isNamed) reading.fault('replaced', key);
    }
  }
}

/** An erasure to be done again. */
export interface JournalledErasure extends ErasedNames {
  readonly at: Date;
}

/** Returns the erasures of entries in the order of their requests, without withdrawn ones. */
function erasuresOf(stored: Iterable<StoredEntry>): JournalledErasure[] {
  const entries = [...stored].map(({ entry }) => entry);
  const withdrawn = new Set(
    entries.flatMap(({ journal, record }) => (record.kind === 'withdrawn' ? `${journal} ${record.erasure_id}` : [])),
  );
  return entries
    .toSorted((a, b) => (a.at === b.at ? a.sequence - b.sequence : a.at < b.at ? -1 : 1))
    .flatMap(({ journal, at, record }) =>
      record.kind === 'opened' || record.kind === 'withdrawn' || withdrawn.has(`${journal} ${record.erasure_id}`)
        ? []
        : { ...record, at: new Date(at) },
    );
}

/** Reads the entries of this instance's database, whatever key signed them. */
function ownReading(own: readonly JournalObject[]): Reading {
  const reading = new Reading(() => true);
  for (const { journal, sequence, object } of own) reading.take(journalKey(journal, sequence), Buffer.from(object));
  return reading;
}

/** Returns the erasures that this instance requested. */
export function ownErasures(own: readonly JournalObject[]): JournalledErasure[] {
  return erasuresOf(ownReading(own).entries.values());
}

/**
 * Reads the erasure journals of all stores. Only entries with a trusted signature at their own key are followed; all others are counted by
 * their fault and stop nothing. Entries that this instance wrote are read from its database. @throws ArchiveStoreError if a store cannot be
 * listed
 */
export async function readJournals(
  given: JournalReading,
): Promise<{ readonly erasures: readonly JournalledErasure[]; readonly account: JournalAccount }> {
  const own = ownReading(given.own);
  // A key that was replaced since is known by what it signed here.
  const ownSigners = new Set([...own.entries.values()].map(({ publicKey }) => publicKey));
  const reading = new Reading((publicKey) => ownSigners.has(publicKey) || given.isTrusted(publicKey));
  for (const store of given.stores)
    await readOthers(reading, store, await readKnown(reading, store, given), given.signal);
  checkChains(reading, given.heads);
  // Entries of this instance replace those in a store.
  const erasures = erasuresOf(new Map([...reading.entries, ...own.entries]).values());
  return { erasures, account: { erasures: erasures.length, faults: reading.faults, examples: reading.examples } };
}
