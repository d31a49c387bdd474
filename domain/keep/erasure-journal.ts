import { createHash } from 'node:crypto';

export const ERASURE_KINDS = ['session', 'user', 'tenant', 'text'] as const;
export type ErasureKind = (typeof ERASURE_KINDS)[number];

/** The most rows that the erasure of one text may name. */
export const MAX_ERASED_ROWS = 10_000;

/**
 * One erasure as the journal keeps it, beside the backup sets and in their copy: by hashes alone, so that the journal tells nothing of what was erased, and
 * a restore of an older set can do it again. Names are `erasedName` of the session, the user or the tenant, or of every row that held the text.
 */
export interface JournalEntry {
  readonly id: string;
  /** RFC 3339. */
  readonly at: string;
  readonly tenant_id: string;
  readonly kind: ErasureKind;
  /** SHA-256, hex; at most {@link MAX_ERASED_ROWS}. */
  readonly names: readonly string[];
}

/** Where the entries lie in the backup store and in its copy, one object each, in the order of their ids. */
export const JOURNAL_PREFIX = 'erasures/';

/** Key of an entry. */
export function journalKey(erasureId: string): string {
  return `${JOURNAL_PREFIX}${erasureId}.json`;
}

/** What stands in the journal, and in tombstones, for a session, a user, a tenant or a row: SHA-256, hex. */
export function erasedName(what: 'session' | 'user' | 'tenant' | 'row', id: string): string {
  return createHash('sha256').update(`${what}:${id}`, 'utf8').digest('hex');
}
