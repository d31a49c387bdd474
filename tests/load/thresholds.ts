/** A limit of the run, as the thresholds of k6. */
export interface Threshold {
  readonly name: string;
  readonly limit: string;
  readonly value: number | null;
  /** Null: not judged, because the run is too short for it. */
  readonly ok: boolean | null;
}

const rounded = (value: number): number | null => (Number.isFinite(value) ? Math.round(value * 1e5) / 1e5 : null);

/** A share of good events among all; without events it is missed, because nothing was measured. */
export function atLeastShare(name: string, good: number, all: number, limit: number): Threshold {
  const value = good / all;
  return { name, limit: `>= ${limit}`, value: rounded(value), ok: value >= limit };
}

/** A value that must not be exceeded. */
export function atMost(name: string, value: number, limit: number, isJudged = true): Threshold {
  return { name, limit: `<= ${limit}`, value: rounded(value), ok: isJudged ? value <= limit : null };
}
