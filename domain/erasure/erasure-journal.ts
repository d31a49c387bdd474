import { createHash } from 'node:crypto';

/** Faults of an object of the journal, or of the journal itself. */
export const JOURNAL_FAULTS = [
  /** Without a signature, or with one of other content. */
  'unsigned',
  /** Signed with a key that this restore does not trust. */
  'foreign',
  /** No entry, too large, or not given by the store. */
  'unreadable',
  /** An entry of another journal or another place in it. */
  'misplaced',
  /** Between existing entries, or before the head that a signed manifest or this instance names. */
  'missing',
  /** Signed, but not the one that its successor, or the manifest, names. */
  'replaced',
  /** Beyond the number of objects that are listed. */
  'unlisted',
] as const;

export type JournalFault = (typeof JOURNAL_FAULTS)[number];

export const ERASURE_KINDS = ['session', 'user', 'tenant', 'text'] as const;
export type ErasureKind = (typeof ERASURE_KINDS)[number];

/** Most rows that the erasure of one text may name. */
export const MAX_ERASED_ROWS = 10_000;

/**
 * One erasure in the journal, beside the backup sets and in their copy: hashes only, so the journal reveals nothing, and a restore of an
 * older set can repeat it. Names are `erasedName` of the session, the user or the tenant, of every row with the text, or `beside` it.
 */
export interface ErasedNames {
  readonly kind: ErasureKind;
  readonly erasure_id: string;
  readonly tenant_id: string;
  /** SHA-256, hex; at most {@link MAX_ERASED_ROWS}. */
  readonly names: readonly string[];
}

/** One record of the journal: an erasure begins, what it erases, or its cancellation before any deletion. */
export type JournalRecord =
  | { readonly kind: 'opened' }
  | { readonly kind: 'withdrawn'; readonly erasure_id: string }
  | ErasedNames;

/**
 * An entry with its journal, its number and the hash of the entry before. The signature covers all of it, so a moved entry is invalid and
 * a missing one leaves a gap.
 */
export interface JournalEntry {
  readonly version: 1;
  /** One per instance. */
  readonly journal: string;
  /** From 1. */
  readonly sequence: number;
  /** SHA-256 of the text of the entry before, hex; null for the first. */
  readonly previous: string | null;
  /** RFC 3339. */
  readonly at: string;
  readonly record: JournalRecord;
}

/** Number and hash of a journal's last entry. Signed with each backup set. */
export interface JournalHead {
  readonly journal: string;
  readonly entries: number;
  /** SHA-256 of the text of the last entry, hex. */
  readonly last: string;
}

/** Prefix of the entries in the backup store and in its copy, one object each. */
export const JOURNAL_PREFIX = 'erasures/';

const SEQUENCE_DIGITS = 10;

/** Key of an entry; keys sort in journal order. */
export function journalKey(journal: string, sequence: number): string {
  return `${JOURNAL_PREFIX}${journal}/${String(sequence).padStart(SEQUENCE_DIGITS, '0')}.json`;
}

/** Hash by which the next entry references this one: SHA-256 of its text, hex. */
export function entrySha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/**
 * Name of a session, a user, a tenant or a row in the journal and in tombstones: SHA-256, hex. `beside`: of a row that loses text outside of memories, such as
 * a title or a quote.
 */
export function erasedName(what: 'session' | 'user' | 'tenant' | 'row' | 'beside', id: string): string {
  return createHash('sha256').update(`${what}:${id}`, 'utf8').digest('hex');
}
