const DAY_MS = 86_400_000;

/** A whole set, by the time of its manifest. */
export interface CurrentSet {
  readonly id: string;
  readonly at: Date;
}

export interface KeepRule {
  readonly keepDays: number;
  /** At least 1: the last good set always stays. */
  readonly keepLast: number;
  /** The last set that was found good, when there is one: it stays whatever its age. */
  readonly lastGood: string | null;
}

/** Which sets may go: those that are older than the days, not among the last ones, and not the last good one. The newest first. */
export function setsToPrune(
  sets: readonly CurrentSet[],
  { keepDays, keepLast, lastGood }: KeepRule,
  now: Date,
): CurrentSet[] {
  const newestFirst = sets.toSorted((a, b) => b.at.getTime() - a.at.getTime() || (a.id < b.id ? 1 : -1));
  const oldest = now.getTime() - keepDays * DAY_MS;
  return newestFirst.slice(Math.max(1, keepLast)).filter(({ id, at }) => at.getTime() < oldest && id !== lastGood);
}
