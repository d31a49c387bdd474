const DAY_MS = 86_400_000;
/** Half-life of positive feedback. */
const USE_HALF_LIFE_DAYS = 30;
/** A learning loses confidence if no session showed it for this long. */
const GRACE_DAYS = 90;
const CONFIDENCE_HALF_LIFE_DAYS = 365;
/** Decay never lowers confidence below this. */
export const CONFIDENCE_FLOOR = 0.2;

/** The attributes of a learning that decay. Times in milliseconds since 1970. */
export interface Decaying {
  readonly useWeight: number;
  readonly confidence: number;
  readonly verified: boolean;
  /** When a session last showed it. */
  readonly lastShownAtMs: number;
  /** The last decayed day; null: never, and earlier days do not count. */
  readonly decayedOnMs: number | null;
}

/**
 * Returns use and confidence on a day (its midnight). With d = days since `decayedOn`: use × 0.5^(d ÷ 30). With o = the days of d more than
 * `graceDays` (90, or by retention policy) after the learning was last shown: confidence × 0.5^(o ÷ 365), at least 0.2, and unchanged for
 * verified learnings. Independent of the number of steps; idempotent within a day.
 */
export function decayed(
  learning: Decaying,
  dayMs: number,
  graceDays: number = GRACE_DAYS,
): { readonly useWeight: number; readonly confidence: number } {
  const { useWeight, confidence, verified, lastShownAtMs, decayedOnMs } = learning;
  if (decayedOnMs === null || dayMs <= decayedOnMs) return { useWeight, confidence };
  const days = (dayMs - decayedOnMs) / DAY_MS;
  const overdueDays = Math.max(0, dayMs - Math.max(decayedOnMs, lastShownAtMs + graceDays * DAY_MS)) / DAY_MS;
  const doubted = confidence * 0.5 ** (overdueDays / CONFIDENCE_HALF_LIFE_DAYS);
  return {
    useWeight: useWeight * 0.5 ** (days / USE_HALF_LIFE_DAYS),
    confidence: verified || confidence <= CONFIDENCE_FLOOR ? confidence : Math.max(CONFIDENCE_FLOOR, doubted),
  };
}

/** Half-life of an observation's importance beyond its age limit, in steps of 30 days, so that rows are not updated daily. */
const IMPORTANCE_HALF_LIFE_DAYS = 90;
const IMPORTANCE_STEP_DAYS = 30;
const IMPORTANCE_FLOOR = 0.05;

/** Returns the importance limit of an observation by days beyond its policy's age: 0.5^(steps of 30 days ÷ 90), at least 0.05. Idempotent. */
export function importanceCap(daysBeyond: number): number {
  const stepped = Math.floor(Math.max(0, daysBeyond) / IMPORTANCE_STEP_DAYS) * IMPORTANCE_STEP_DAYS;
  return Math.max(IMPORTANCE_FLOOR, 0.5 ** (stepped / IMPORTANCE_HALF_LIFE_DAYS));
}

/** The same in SQL, for an interval beyond the age. */
export function importanceCapSql(beyond: string): string {
  const steps = `floor(greatest(0, extract(epoch FROM ${beyond})) / ${(DAY_MS / 1_000) * IMPORTANCE_STEP_DAYS})`;
  return `greatest(${IMPORTANCE_FLOOR}, power(0.5, ${steps} * ${IMPORTANCE_STEP_DAYS} / ${IMPORTANCE_HALF_LIFE_DAYS}))`;
}
