const DAY_MS = 86_400_000;
/** Use that proved useful counts half after this many days. */
const USE_HALF_LIFE_DAYS = 30;
/** What no session showed for this long begins to lose confidence. */
const GRACE_DAYS = 90;
const CONFIDENCE_HALF_LIFE_DAYS = 365;
/** Decay alone never brings confidence below this: what was learned once is doubted, not disbelieved. */
export const CONFIDENCE_FLOOR = 0.2;

/** What decay is told of a learning. Times in milliseconds since 1970. */
export interface Decaying {
  readonly useWeight: number;
  readonly confidence: number;
  readonly verified: boolean;
  /** When a session last showed it. */
  readonly lastShownAtMs: number;
  /** The day up to which it was decayed; null: never, and nothing is owed for the time before. */
  readonly decayedOnMs: number | null;
}

/**
 * Use and confidence on a day (its midnight). With d = days since `decayedOn`: use × 0.5^(d ÷ 30). With o = the part of those days that lies more
 * than `graceDays` (90, or what a retention policy says) after the learning was last shown: confidence × 0.5^(o ÷ 365), not below 0.2, and never for what a person verified. Doing it in two
 * steps gives the same as in one; doing it twice on a day changes nothing.
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

/** Importance of an observation halves in this many days beyond its age, in steps of 30 days, so that a row is not written daily. */
const IMPORTANCE_HALF_LIFE_DAYS = 90;
const IMPORTANCE_STEP_DAYS = 30;
const IMPORTANCE_FLOOR = 0.05;

/**
 * The most that an observation's importance can be so many days beyond the age of its policy: 0.5^(whole steps of 30 days ÷ 90), not below 0.05. It
 * depends on age alone, so that lowering to it twice changes nothing.
 */
export function importanceCap(daysBeyond: number): number {
  const stepped = Math.floor(Math.max(0, daysBeyond) / IMPORTANCE_STEP_DAYS) * IMPORTANCE_STEP_DAYS;
  return Math.max(IMPORTANCE_FLOOR, 0.5 ** (stepped / IMPORTANCE_HALF_LIFE_DAYS));
}

/** The same in SQL, of an interval beyond the age. */
export function importanceCapSql(beyond: string): string {
  const steps = `floor(greatest(0, extract(epoch FROM ${beyond})) / ${(DAY_MS / 1_000) * IMPORTANCE_STEP_DAYS})`;
  return `greatest(${IMPORTANCE_FLOOR}, power(0.5, ${steps} * ${IMPORTANCE_STEP_DAYS} / ${IMPORTANCE_HALF_LIFE_DAYS}))`;
}
