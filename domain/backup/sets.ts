/**
 * `missing`: no manifest; `damaged`: a byte differs from the one written; `no_key`: encrypted with a key that this instance lacks;
 * `untrusted`: signed with a key that this instance does not trust; `newer`: unsupported format version.
 */
export type BackupSetErrorKind = 'missing' | 'damaged' | 'no_key' | 'untrusted' | 'newer';

/** A backup set that cannot be read. The message names files and keys by id, never their content. */
export class BackupSetError extends Error {
  override readonly name = 'BackupSetError';
  readonly kind: BackupSetErrorKind;

  constructor(kind: BackupSetErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** `refused`: existing data may not be replaced; `unproved`: the restored data differs from the set. */
export type RestoreErrorKind = 'refused' | 'unproved';

/** Message of a refusal. */
export const OVERWRITE_REQUIRED = 'this instance has sessions or learnings: --overwrite replaces them';

/** A restore failed. The message names tables and files, never their content. */
export class RestoreError extends Error {
  override readonly name = 'RestoreError';
  readonly kind: RestoreErrorKind;

  constructor(kind: RestoreErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

const DAY_MS = 86_400_000;

/** A complete backup set; `at` is the time of its manifest. */
export interface CurrentSet {
  readonly id: string;
  readonly at: Date;
}

interface RetentionRule {
  readonly keepDays: number;
  /** At least 1: the newest set is never deleted. */
  readonly keepLast: number;
  /** The newest verified set, if any; never deleted. */
  readonly lastGood: string | null;
}

/** Returns the sets to delete, newest first: older than `keepDays`, not among the last `keepLast`, and not the last verified one. */
export function setsToPrune(
  sets: readonly CurrentSet[],
  { keepDays, keepLast, lastGood }: RetentionRule,
  now: Date,
): CurrentSet[] {
  const newestFirst = sets.toSorted((a, b) => b.at.getTime() - a.at.getTime() || (a.id < b.id ? 1 : -1));
  const oldest = now.getTime() - keepDays * DAY_MS;
  return newestFirst.slice(Math.max(1, keepLast)).filter(({ id, at }) => at.getTime() < oldest && id !== lastGood);
}
