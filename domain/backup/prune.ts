const DAY_MS = 86_400_000;

/** A complete backup set; `at` is the time of its manifest. */
export interface CurrentSet {
  readonly id: string;
  readonly at: Date;
}

export interface RetentionRule {
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
